"""Speak the digits once, with espeak-ng: python -m services.verification.voice.generate

Writes mono 16-bit WAV files at 11025 Hz beside this file. Needed only when a voice is to change.
"""

import array
import io
import shutil
import subprocess
import sys
import wave
from pathlib import Path

RATE = 11025
HERE = Path(__file__).parent
WORDS = {
    "vi": ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
VOICES = {"vi": ("vi-vn-x-central", 115), "en": ("en-us", 130)}  # words a minute
_LOUDEST = 20_000  # leaves room for what is mixed in
_SILENCE = 400


def main() -> None:
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        sys.exit("espeak-ng is missing; on Debian: apt-get install espeak-ng")
    for language, words in WORDS.items():
        for digit, word in enumerate(words):
            _write(HERE / f"{language}-{digit}.wav", _spoken(espeak, language, word))


def _spoken(espeak: str, language: str, word: str) -> "array.array[int]":
    voice, speed = VOICES[language]
    command = [espeak, "-v", voice, "-s", str(speed), "-a", "180", "--stdout", word]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
    with wave.open(io.BytesIO(done.stdout)) as spoken:
        if (spoken.getframerate(), spoken.getnchannels(), spoken.getsampwidth()) != (2 * RATE, 1, 2):
            sys.exit("espeak-ng gave another format than 22050 Hz, mono, 16 bit")
        samples = array.array("h", spoken.readframes(spoken.getnframes()))
    half = [(a + b) // 2 for a, b in zip(samples[::2], samples[1::2], strict=False)]
    loud = [index for index, sample in enumerate(half) if abs(sample) > _SILENCE]
    kept = half[max(0, loud[0] - 200) : loud[-1] + 400]
    scale = _LOUDEST / max(map(abs, kept))
    return array.array("h", (int(sample * scale) for sample in kept))


def _write(path: Path, samples: "array.array[int]") -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
