"""Speak digits among a murmur of other voices, so that a person understands them and a program hardly does.

The clips are public, so whoever knows them can look for them in the sound. Therefore each digit is spoken at
a pace and pitch that swing within the word, duller or brighter, and the murmur is made of pieces of the same
clips. The digits stay some 4 to 5 dB above it, in one voice and with a pause after each.

Mono, 16 bit, 11025 Hz; from six to eleven seconds.
"""

import array
import io
import math
import wave
from functools import cache
from importlib import resources
from operator import add
from random import Random

RATE = 11025
LANGUAGES = ("vi", "en")
_LEAD, _PAUSE = (0.6, 1.2), (0.35, 0.8)  # seconds
_SPEED, _SWING, _TILT = (0.8, 1.22), (0.14, 0.26), (-0.6, 0.3)
# Of a clip's loudness. At their worst all together stay below 16 bits, so nothing is cut off.
_VOICE, _MURMUR = 0.5, 0.175
_PIECE = (0.15, 0.35)  # seconds
_PIECE_SPEEDS = (0.85, 0.95, 1.05, 1.15)
_FADE = 48  # samples


def speak(digits: str, language: str, seed: bytes) -> bytes:
    """A WAV file; the same for the same seed. Takes some forty milliseconds of computing."""
    chance = Random(seed)
    track = _silence(chance.uniform(*_LEAD))
    for digit in digits:
        track.extend(_spoken(_clip(language, int(digit)), chance))
        track.extend(_silence(chance.uniform(*_PAUSE)))
    length = len(track)
    for layer in (
        _murmur(length, language, chance),
        _murmur(length, language, chance),
        _hiss(length, chance),
    ):
        track = array.array("h", map(add, track, layer))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(track.tobytes())
    return content.getvalue()


def _silence(seconds: float) -> "array.array[int]":
    return array.array("h", bytes(2 * int(RATE * seconds)))


@cache
def _clip(language: str, digit: int) -> "array.array[int]":
    path = resources.files("services.verification.voice") / f"{language}-{digit}.wav"
    with path.open("rb") as file, wave.open(file) as clip:
        return array.array("h", clip.readframes(clip.getnframes()))


def _spoken(clip: "array.array[int]", chance: Random) -> "array.array[int]":
    """Faster is higher, slower is lower, as with a tape; `tilt` takes from the low notes or adds to them."""
    speed, swing, tilt = chance.uniform(*_SPEED), chance.uniform(*_SWING), chance.uniform(*_TILT)
    phase, turns = chance.uniform(0, math.tau), chance.uniform(0.7, 1.5)
    length, last = int(len(clip) / speed), len(clip) - 1
    depth, step = swing * len(clip) / (turns * math.tau), turns * math.tau / length
    loudness, start = _VOICE / (1 - tilt), math.sin(phase)
    spoken, before = array.array("h"), 0
    for index in range(length):
        place = int(index * speed + depth * (math.sin(phase + index * step) - start))
        sample = clip[min(max(place, 0), last)]
        spoken.append(int((sample - tilt * before) * loudness))
        before = sample
    return spoken


def _murmur(length: int, language: str, chance: Random) -> "array.array[int]":
    """Pieces of words, forwards and backwards, without a pause."""
    murmur = array.array("h")
    while len(murmur) < length:
        clip = _faint(language, chance.randrange(10), chance.choice(_PIECE_SPEEDS))
        size = min(int(RATE * chance.uniform(*_PIECE)), len(clip))
        start = chance.randrange(len(clip) - size + 1)
        piece = clip[start : start + size][:: chance.choice((1, -1))]
        for index in range(_FADE):
            piece[index] = piece[index] * index // _FADE
            piece[-1 - index] = piece[-1 - index] * index // _FADE
        murmur.extend(piece)
    return murmur[:length]


@cache
def _faint(language: str, digit: int, speed: float) -> "array.array[int]":
    clip = _clip(language, digit)
    return array.array("h", (int(clip[int(i * speed)] * _MURMUR) for i in range(int(len(clip) / speed))))


def _hiss(length: int, chance: Random) -> "array.array[int]":
    return array.array("h", (2 * each for each in array.array("b", chance.randbytes(length))))
