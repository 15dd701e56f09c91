"""What programs that anyone can have make of challenges; always the same ones, so the verdict is too."""

import pytest

from attacks import ocr, sound

pytestmark = pytest.mark.any_servers


def test_tesseract_solves_fewer_than_one_in_twenty_pictures() -> None:
    """Were it 5 % or more, two or more of 120 would be solved in 98 runs of 100."""
    readings = list(ocr.read_all(120, ("grey", "median and threshold", "ground guessed"), (7, 8)))
    assert len(readings) == 6
    assert max(each.solved for each in readings) <= 1, readings


@pytest.mark.parametrize("language", ["vi", "en"])
def test_who_looks_for_the_clips_solves_fewer_than_three_in_ten_sounds(language: str) -> None:
    """By the strongest way. Were it 30 % or more, 21 or more of 100 would be solved in 98 runs of 100."""
    assert sound.solved("dynamic time warping", language, range(100)) <= 20
