"""What a challenge looks and sounds like."""

import array
import io
import math
import wave
from collections import Counter
from random import Random

import pytest
from PIL import Image, ImageChops

from services.verification import sound
from services.verification.picture import HEIGHT, WIDTH, draw
from services.verification.sound import LANGUAGES, RATE, speak


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("seed", [b"one", b"two", b"three", b"four"])
def test_the_picture_is_small_wide_and_of_strong_contrast(seed: bytes) -> None:
    content = draw("207839", seed)
    image = Image.open(io.BytesIO(content))
    assert (image.size, image.format) == ((WIDTH, HEIGHT), "PNG")
    assert len(content) < 40_000
    flat = image.convert("RGB").tobytes()
    colours = Counter(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    (one, most), (other, least) = colours.most_common(2)
    dark, light = sorted((luminance(one), luminance(other)))
    assert (light + 0.05) / (dark + 0.05) >= 7
    assert most + least > 0.8 * WIDTH * HEIGHT


def test_asking_twice_gives_the_same_and_every_challenge_another() -> None:
    assert draw("207839", b"a") == draw("207839", b"a") != draw("207839", b"b")
    assert speak("207839", "vi", b"a") == speak("207839", "vi", b"a") != speak("207839", "vi", b"b")


def test_each_digit_is_in_the_picture_at_its_place() -> None:
    def grey(digits: str) -> Image.Image:
        return Image.open(io.BytesIO(draw(digits, b"seed"))).convert("L")

    for place in range(6):
        changed = "0" * place + "7" + "0" * (5 - place)
        left, _, right, _ = ImageChops.difference(grey("000000"), grey(changed)).getbbox() or (0, 0, 0, 0)
        assert abs((left + right) / 2 - (WIDTH / 2 + 96 * (place - 2.5))) < 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sound_is_a_short_wav_that_does_not_clip(language: str) -> None:
    for seed in (b"one", b"two", b"three"):
        content = speak("020839", language, seed)
        assert len(content) <= 15 * 2 * RATE
        with wave.open(io.BytesIO(content)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            heard = array.array("h", file.readframes(file.getnframes()))
        assert 4 * RATE < len(heard) < 15 * RATE
        assert 10_000 < max(map(abs, heard)) < 32_767


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_digit_has_its_own_clip(language: str) -> None:
    sounds = {speak(str(digit) * 6, language, b"seed") for digit in range(10)}
    assert len(sounds) == 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_digit_stands_out_from_the_murmur(language: str) -> None:
    """By 3 dB on average and in no single case below it by more than 1."""
    above = []
    for seed in range(8):
        murmur = samples(speak("", language, bytes([seed])))
        for digit in range(10):
            spoken = sound._spoken(sound._clip(language, digit), Random(f"{seed} {digit}"))
            above.append(20 * math.log10(loudness(spoken) / loudness(murmur)))
    assert min(above) > -1
    assert sum(above) / len(above) > 3


def test_nothing_is_cut_off_however_chance_falls() -> None:
    loudest = 20_000 * (sound._VOICE * (1 + sound._TILT[1]) / (1 - sound._TILT[1]) + 2 * sound._MURMUR)
    assert loudest + 256 < 2**15


def samples(content: bytes) -> "array.array[int]":
    with wave.open(io.BytesIO(content)) as file:
        return array.array("h", file.readframes(file.getnframes()))


def loudness(heard: "array.array[int]") -> float:
    return math.sqrt(sum(each * each for each in heard) / len(heard))
