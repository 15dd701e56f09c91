"""Draw digits so that a person reads them easily and a program does not.

640 × 200 pixels: shown at half that size it is sharp on a phone. Ink and ground keep a contrast of more than
7:1 (WCAG 2.2, 1.4.6) and change places along a winding line: the eye follows a digit through it, while a
program that looks for dark on light loses it. The digits lean, bend and touch, so that they are hard to cut
apart.
"""

import io
import math
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 200
_INKS = ((16, 54, 92), (88, 24, 69), (20, 70, 52), (92, 46, 8))
_GROUND = (246, 248, 250)
_SHADES = 16  # from ground to ink
_PITCH = 96  # from digit to digit


def draw(digits: str, seed: bytes) -> bytes:
    """A PNG; the same for the same seed. Takes some ten milliseconds of computing."""
    chance = Random(seed)
    ink = chance.choice(_INKS)
    image = Image.new("L", (WIDTH, HEIGHT))  # how much ink: 0 none, 255 all
    _speckle(image, chance)
    _write(image, digits, chance)
    _stroke(image, chance)
    image = ImageChops.difference(image, _shadow(chance))
    image = _bend(image, chance).point([value * _SHADES >> 8 for value in range(256)])
    image.putpalette(_between(_GROUND, ink))
    content = io.BytesIO()
    image.save(content, "PNG", bits=4, compress_level=1)  # a little larger, in half the time
    return content.getvalue()


def _between(first: tuple[int, int, int], last: tuple[int, int, int]) -> list[int]:
    part = [shade / (_SHADES - 1) for shade in range(_SHADES)]
    return [round(a + (b - a) * share) for share in part for a, b in zip(first, last, strict=True)]


def _write(image: Image.Image, digits: str, chance: Random) -> None:
    glyphs = [_glyph(digit, chance) for digit in digits]
    left = (WIDTH - _PITCH * (len(digits) - 1)) / 2 + chance.uniform(-12, 12)
    for place, glyph in enumerate(glyphs):
        x = int(left + _PITCH * place + chance.uniform(-5, 5) - glyph.width / 2)
        y = int((HEIGHT - glyph.height) / 2 + chance.uniform(-20, 20))
        image.paste(255, (x, y), glyph)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _glyph(digit: str, chance: Random) -> Image.Image:
    """One digit as a mask, turned and sheared a little."""
    mask = Image.new("L", (150, 190))
    ImageDraw.Draw(mask).text(
        (75, 95),
        digit,
        font=_font(chance.randrange(122, 150, 4)),
        fill=255,
        anchor="mm",
        stroke_width=chance.choice((2, 3, 4)),
    )
    turn, shear = math.radians(chance.uniform(-16, 16)), chance.uniform(-0.15, 0.15)
    a, b = math.cos(turn), math.sin(turn) + shear
    c, d = -math.sin(turn), math.cos(turn)
    return mask.transform(
        mask.size,
        Image.Transform.AFFINE,
        (a, b, 75 - a * 75 - b * 95, c, d, 95 - c * 75 - d * 95),
        Image.Resampling.BILINEAR,
    )


def _speckle(image: Image.Image, chance: Random) -> None:
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT), chance.uniform(2, 6)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=chance.randrange(16, 64))


def _stroke(image: Image.Image, chance: Random) -> None:
    """A curve through the digits, thinner than they are."""
    ImageDraw.Draw(image).line(_curve(chance, 60, 140, swing=(20, 45)), fill=255, width=4, joint="curve")


def _shadow(chance: Random) -> Image.Image:
    """What lies under a winding line through the middle."""
    shadow = Image.new("L", (WIDTH, HEIGHT))
    edge = _curve(chance, 90, 110, swing=(18, 34))
    ImageDraw.Draw(shadow).polygon([*edge, (WIDTH + 20, HEIGHT), (-20, HEIGHT)], fill=255)
    return shadow


def _curve(
    chance: Random, top: float, bottom: float, *, swing: tuple[float, float]
) -> list[tuple[float, float]]:
    base, up = chance.uniform(top, bottom), chance.uniform(*swing)
    phase, length = chance.uniform(0, math.tau), chance.uniform(220, 420)
    return [(x, base + up * math.sin(phase + x * math.tau / length)) for x in range(-20, WIDTH + 21, 6)]


def _bend(image: Image.Image, chance: Random) -> Image.Image:
    """Bend the whole along two waves."""
    cell, across, up = 20, chance.uniform(5, 9), chance.uniform(5, 9)
    first, second = chance.uniform(0, math.tau), chance.uniform(0, math.tau)

    def bent(x: float, y: float) -> tuple[float, float]:
        dx = across * math.sin(first + y * math.tau / 120)
        dy = up * math.sin(second + x * math.tau / 190)
        return min(max(x + dx, 0), WIDTH - 1), min(max(y + dy, 0), HEIGHT - 1)

    corner = {(x, y): bent(x, y) for x in range(0, WIDTH + 1, cell) for y in range(0, HEIGHT + 1, cell)}
    mesh = [
        (
            (x, y, x + cell, y + cell),
            (*corner[x, y], *corner[x, y + cell], *corner[x + cell, y + cell], *corner[x + cell, y]),
        )
        for x in range(0, WIDTH, cell)
        for y in range(0, HEIGHT, cell)
    ]
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
