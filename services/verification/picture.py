"""Draw digits so that a person reads them easily and a program does not.

640 × 200 pixels: shown at half that size it is sharp on a phone. Ink and ground keep a contrast of more than
7:1 (WCAG 2.2, 1.4.6) and change places along a winding line: the eye follows a digit through it, while a
program that looks for dark on light loses it. The digits lean, bend and touch, so that they are hard to cut
apart.
"""

import math
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 200
_EDGE = 10  # around it, to bend in from; the waves are lower
_STEP = 2  # pixels that bend together; they are shown as one
_WIDE, _HIGH = WIDTH + 2 * _EDGE, HEIGHT + 2 * _EDGE
_INKS = ((16, 54, 92), (88, 24, 69), (20, 70, 52), (92, 46, 8))
_GROUND = (246, 248, 250)
_SHADES = 16  # from ground to ink
_SHADE = bytes(value * _SHADES >> 8 for value in range(256))
_PITCH = 96  # from digit to digit
_BOX = (144, 140)  # holds the largest digit, however it is turned


def draw(digits: str, seed: bytes) -> bytes:
    """A PNG; the same for the same seed. Takes some two milliseconds of computing."""
    chance = Random(seed)
    ink = chance.choice(_INKS)
    image = Image.new("L", (_WIDE, _HIGH))  # how much ink: 0 none, 255 all
    _speckle(image, chance)
    _write(image, digits, chance)
    _stroke(image, chance)
    image = ImageChops.difference(image, _shadow(chance))
    return _png(_bend(image, chance), _between(_GROUND, ink))


def _between(first: tuple[int, int, int], last: tuple[int, int, int]) -> bytes:
    part = [shade / (_SHADES - 1) for shade in range(_SHADES)]
    return bytes(round(a + (b - a) * share) for share in part for a, b in zip(first, last, strict=True))


def _write(image: Image.Image, digits: str, chance: Random) -> None:
    glyphs = [_glyph(digit, chance) for digit in digits]
    left = (_WIDE - _PITCH * (len(digits) - 1)) / 2 + chance.uniform(-12, 12)
    for place, glyph in enumerate(glyphs):
        x = int(left + _PITCH * place + chance.uniform(-5, 5) - glyph.width / 2)
        y = int((_HIGH - glyph.height) / 2 + chance.uniform(-20, 20))
        image.paste(255, (x, y), glyph)


@cache
def _upright(digit: str, size: int, thick: int) -> Image.Image:
    """A digit as a mask. There are some two hundred of 20 KB."""
    mask = Image.new("L", _BOX)
    middle = (_BOX[0] / 2, _BOX[1] / 2)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(mask).text(middle, digit, font=font, fill=255, anchor="mm", stroke_width=thick)
    return mask


def _glyph(digit: str, chance: Random) -> Image.Image:
    """One digit as a mask, turned and sheared a little."""
    mask = _upright(digit, chance.randrange(122, 150, 4), chance.choice((2, 3, 4)))
    turn, shear = math.radians(chance.uniform(-16, 16)), chance.uniform(-0.15, 0.15)
    a, b = math.cos(turn), math.sin(turn) + shear
    c, d = -math.sin(turn), math.cos(turn)
    x, y = _BOX[0] / 2, _BOX[1] / 2
    return mask.transform(
        _BOX,
        Image.Transform.AFFINE,
        (a, b, x - a * x - b * y, c, d, y - c * x - d * y),
        Image.Resampling.NEAREST,
    )


def _speckle(image: Image.Image, chance: Random) -> None:
    pen, any_share = ImageDraw.Draw(image), chance.random
    for _ in range(60):
        x, y, r = _WIDE * any_share(), _HIGH * any_share(), 2 + 4 * any_share()
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(16 + 48 * any_share()))


def _stroke(image: Image.Image, chance: Random) -> None:
    """A curve through the digits, thinner than they are."""
    ImageDraw.Draw(image).line(_curve(chance, 60, 140, swing=(20, 45)), fill=255, width=4, joint="curve")


def _shadow(chance: Random) -> Image.Image:
    """What lies under a winding line through the middle."""
    shadow = Image.new("L", (_WIDE, _HIGH))
    edge = _curve(chance, 90, 110, swing=(18, 34))
    ImageDraw.Draw(shadow).polygon([*edge, (_WIDE + 20, _HIGH), (-20, _HIGH)], fill=255)
    return shadow


def _curve(
    chance: Random, top: float, bottom: float, *, swing: tuple[float, float]
) -> list[tuple[float, float]]:
    base, up = _EDGE + chance.uniform(top, bottom), chance.uniform(*swing)
    phase, length = chance.uniform(0, math.tau), chance.uniform(220, 420)
    return [(x, base + up * math.sin(phase + x * math.tau / length)) for x in range(-20, _WIDE + 21, 6)]


def _bend(image: Image.Image, chance: Random) -> Image.Image:
    """Bend the whole along two waves: first its rows move, then its columns, by whole pixels."""
    across, up = chance.uniform(5, 9), chance.uniform(5, 9)
    first, second = chance.uniform(0, math.tau), chance.uniform(0, math.tau)
    rows = (across * math.sin(first + y * math.tau / 120) for y in range(0, _HIGH, _STEP))
    columns = (up * math.sin(second + x * math.tau / 190) for x in range(0, WIDTH, _STEP))
    turned = _moved(image, rows).transpose(Image.Transpose.TRANSPOSE)
    return _moved(turned, columns).transpose(Image.Transpose.TRANSPOSE)


def _moved(image: Image.Image, by: Iterable[float]) -> Image.Image:
    """Rows, _STEP at a time, moved by so many pixels each; without the edge on both of their sides."""
    content, size = image.tobytes() + bytes(2 * _EDGE), _STEP * image.width
    starts = [size * step + _EDGE + round(each) for step, each in enumerate(by)]
    moved = Image.frombytes("L", image.size, b"".join([content[at : at + size] for at in starts]))
    # What of each row's end is the next one's beginning goes with the edge.
    return moved.crop((0, 0, image.width - 2 * _EDGE, image.height))


def _png(image: Image.Image, palette: bytes) -> bytes:
    """In 16 colours, of 4 bits (PNG, third edition). Pillow's own way takes four times as long."""
    shades = Image.frombytes("P", image.size, image.tobytes().translate(_SHADE))
    content, size = shades.tobytes("raw", "P;4"), WIDTH // 2
    lines = b"".join([b"\0" + content[at : at + size] for at in range(0, len(content), size)])
    packing = zlib.compressobj(1, strategy=zlib.Z_RLE)  # large plain surfaces: as small, in half the time
    packed = packing.compress(lines) + packing.flush()
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 4, 3, 0, 0, 0)  # bits, palette; no other choice of the rest
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(*each) for each in chunks])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
