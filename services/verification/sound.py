"""Speak digits over a murmur of other voices, so that a person understands them and a program hardly does.

Mono, 16 bit, 11025 Hz; about seven seconds, at most 200 KB.
"""

import array
import io
import wave
from functools import cache
from importlib import resources
from operator import add
from random import Random

RATE = 11025
LANGUAGES = ("vi", "en")
_LEAD = 0.4  # seconds
_MURMUR = 0.16  # of the voices' loudness
_HISS = 380


def speak(digits: str, language: str, seed: bytes) -> bytes:
    """A WAV file; the same for the same seed. Takes some ten milliseconds of computing."""
    chance = Random(seed)
    track = array.array("h", bytes(2 * int(RATE * _LEAD)))
    for digit in digits:
        track.extend(_at_speed(_clip(language, int(digit)), chance.uniform(0.92, 1.08)))
        track.extend([0] * int(RATE * chance.uniform(0.42, 0.7)))
    mixed = array.array("h", map(add, track, _background(len(track), language, chance)))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(mixed.tobytes())
    return content.getvalue()


@cache
def _clip(language: str, digit: int) -> "array.array[int]":
    path = resources.files("services.verification.voice") / f"{language}-{digit}.wav"
    with path.open("rb") as file, wave.open(file) as clip:
        return array.array("h", clip.readframes(clip.getnframes()))


@cache
def _murmurs(language: str) -> "array.array[int]":
    """All digits backwards and faint: the sound of the voice, without words."""
    return array.array(
        "h",
        (int(sample * _MURMUR) for digit in range(10) for sample in reversed(_clip(language, digit))),
    )


@cache
def _hiss() -> "array.array[int]":
    chance = Random(0)
    return array.array("h", (chance.randint(-_HISS, _HISS) for _ in range(2 * RATE)))


def _at_speed(clip: "array.array[int]", speed: float) -> "array.array[int]":
    """Faster is higher, slower is lower, as with a tape."""
    return array.array("h", (clip[int(index * speed)] for index in range(int(len(clip) / speed))))


def _background(length: int, language: str, chance: Random) -> "array.array[int]":
    layers = [_looped(_murmurs(language), length, chance) for _ in range(2)]
    layers.append(_looped(_hiss(), length, chance))
    return array.array("h", map(sum, zip(*layers, strict=True)))


def _looped(sound: "array.array[int]", length: int, chance: Random) -> "array.array[int]":
    start = chance.randrange(len(sound))
    turned = sound[start:] + sound[:start]
    return (turned * (length // len(turned) + 1))[:length]
