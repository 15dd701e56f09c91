"""Draw digits so that a person reads them easily and a program does not.

640 × 200 pixels: shown at half that size it is sharp on a phone. Dark ink on a light ground keeps a contrast
of more than 7:1 (WCAG 2.2, 1.4.6) for the digits; what disturbs is thinner or fainter than they are.
"""

import io
import math
from functools import cache
from random import Random

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 200
_INKS = ((16, 54, 92), (88, 24, 69), (20, 70, 52), (92, 46, 8))
_GROUND = (246, 248, 250)
_COLOURS = 32


def draw(digits: str, seed: bytes) -> bytes:
    """A PNG; the same for the same seed. Takes some ten milliseconds of computing."""
    chance = Random(seed)
    ink = chance.choice(_INKS)
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    _speckle(image, chance)
    step = (WIDTH - 60) / len(digits)
    for place, digit in enumerate(digits):
        glyph = _glyph(digit, chance)
        left = int(30 + step * (place + 0.5) - glyph.width / 2 + chance.uniform(-8, 8))
        top = int((HEIGHT - glyph.height) / 2 + chance.uniform(-18, 18))
        image.paste(Image.new("RGB", glyph.size, ink), (left, top), glyph)
    _strokes(image, chance, ink)
    image = _wave(image, chance)
    content = io.BytesIO()
    image.quantize(_COLOURS).save(content, "PNG", optimize=True)
    return content.getvalue()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _glyph(digit: str, chance: Random) -> Image.Image:
    """One digit as a mask, turned, sheared and scaled a little."""
    font = _font(chance.randrange(118, 146, 4))
    mask = Image.new("L", (150, 190), 0)
    ImageDraw.Draw(mask).text(
        (75, 95),
        digit,
        font=font,
        fill=255,
        anchor="mm",
        stroke_width=chance.choice((2, 3, 4)),
        stroke_fill=255,
    )
    shear = chance.uniform(-0.2, 0.2)
    mask = mask.transform(
        mask.size, Image.Transform.AFFINE, (1, shear, -shear * 95, 0, 1, 0), Image.Resampling.BILINEAR
    )
    return mask.rotate(chance.uniform(-18, 18), Image.Resampling.BICUBIC)


def _speckle(image: Image.Image, chance: Random) -> None:
    pen = ImageDraw.Draw(image)
    for _ in range(140):
        x, y, r = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT), chance.uniform(1.5, 5)
        shade = chance.randrange(176, 226)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(shade, shade, min(255, shade + 12)))


def _strokes(image: Image.Image, chance: Random, ink: tuple[int, int, int]) -> None:
    """Curves through the digits, in their colour and in the ground's, so that neither can be cut out."""
    pen = ImageDraw.Draw(image)
    for colour, width in ((ink, 5), (_GROUND, 4), (ink, 4)):
        base, swing = chance.uniform(50, 150), chance.uniform(20, 55)
        phase, length = chance.uniform(0, math.tau), chance.uniform(180, 420)
        points = [(x, base + swing * math.sin(phase + x * math.tau / length)) for x in range(0, WIDTH, 6)]
        pen.line(points, fill=colour, width=width, joint="curve")


def _wave(image: Image.Image, chance: Random) -> Image.Image:
    """Bend the whole along two waves."""
    cell, across, up = 20, chance.uniform(4, 8), chance.uniform(4, 8)
    first, second = chance.uniform(0, math.tau), chance.uniform(0, math.tau)

    def bent(x: float, y: float) -> tuple[float, float]:
        dx = across * math.sin(first + y * math.tau / 130)
        dy = up * math.sin(second + x * math.tau / 210)
        return min(max(x + dx, 0), WIDTH - 1), min(max(y + dy, 0), HEIGHT - 1)

    mesh = []
    for x in range(0, WIDTH, cell):
        for y in range(0, HEIGHT, cell):
            corners = ((x, y), (x, y + cell), (x + cell, y + cell), (x + cell, y))
            mesh.append(
                ((x, y, x + cell, y + cell), tuple(value for corner in corners for value in bent(*corner)))
            )
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
