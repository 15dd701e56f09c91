"""What a challenge looks and sounds like."""

import array
import io
import wave
from collections import Counter

import pytest
from PIL import Image

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
    ground = colours.most_common(1)[0][0]
    ink = min((colour for colour, count in colours.items() if count > 2000), key=luminance)
    assert (luminance(ground) + 0.05) / (luminance(ink) + 0.05) >= 7


def test_asking_twice_gives_the_same_and_every_challenge_another() -> None:
    assert draw("207839", b"a") == draw("207839", b"a") != draw("207839", b"b")
    assert speak("207839", "vi", b"a") == speak("207839", "vi", b"a") != speak("207839", "vi", b"b")


def test_the_digits_are_in_the_picture_where_they_are_drawn() -> None:
    def ink_in(digits: str) -> int:
        image = Image.open(io.BytesIO(draw(digits, b"seed"))).convert("L")
        return sum(image.histogram()[:100])

    assert ink_in("888888") > ink_in("777777") > 4000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sound_is_a_short_wav_that_does_not_clip(language: str) -> None:
    for seed in (b"one", b"two", b"three"):
        content = speak("020839", language, seed)
        assert len(content) <= 200_000
        with wave.open(io.BytesIO(content)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE)
            samples = array.array("h", sound.readframes(sound.getnframes()))
        assert 4 * RATE < len(samples) < 9 * RATE
        assert 10_000 < max(map(abs, samples)) < 32_767


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_digit_has_its_own_clip(language: str) -> None:
    sounds = {speak(str(digit) * 6, language, b"seed") for digit in range(10)}
    assert len(sounds) == 10


def test_the_voice_stands_out_from_the_murmur() -> None:
    with wave.open(io.BytesIO(speak("222222", "en", b"seed"))) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    window = RATE // 20
    loudness = [
        max(map(abs, samples[start : start + window])) for start in range(0, len(samples) - window, window)
    ]
    loud = [level > 12_000 for level in loudness]
    spoken = sum(1 for before, now in zip([False, *loud], loud, strict=False) if now and not before)
    assert spoken >= 6
    assert min(loudness) < 9_000
