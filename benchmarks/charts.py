"""A line chart as SVG: what `docs/performance.md` shows. Axes begin at 0, unless ratings are tenfold."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

from benchmarks.results import Curve

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 74, 150, 64, 52
COLOURS = ("#0b5f5a", "#c2571a", "#4b4fa8", "#7a7a1c", "#8c2f6b")
DASHES = ("", "7 4", "2 4", "10 3 2 3", "1 3")
STYLE = (
    ".bg{fill:#f7faf9}.plot{fill:#fff;stroke:#d3dedc}.grid{stroke:#e3ebea}"
    ".h1{fill:#12302e;font-size:18px;font-weight:600}.tick{fill:#4a5f5d;font-size:12px}"
    ".line{fill:none;stroke-width:2.2}.name{font-size:13px;font-weight:600}"
)


def svg(title: str, curves: Sequence[Curve], *, tenfold: bool = False) -> str:
    """`title` says what is on which axis: "… against …". `tenfold`: both axes are logarithmic."""
    points = [point for curve in curves for point in curve.points]
    x, y = (_Axis([point[place] for point in points], tenfold=tenfold) for place in (0, 1))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return round(LEFT + across * x.share(point[0]), 1), round(TOP + down * (1 - y.share(point[1])), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' aria-labelledby="t d" font-family="\'Be Vietnam Pro\', system-ui, sans-serif">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(_described(curves))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="bg" width="{WIDTH}" height="{HEIGHT}" rx="14"/>',
        f'<text class="h1" x="20" y="36">{escape(title[:1].upper() + title[1:])}</text>',
        f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{across}" height="{down}"/>',
    ]
    for value in y.ticks:
        height = at((x.ticks[0], value))[1]
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{height}" x2="{LEFT + across}" y2="{height}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{height + 4}" text-anchor="end">{value:,g}</text>'
        )
    for value in x.ticks:
        place = at((value, y.ticks[0]))[0]
        parts.append(
            f'<text class="tick" x="{place}" y="{TOP + down + 22}" text-anchor="middle">{value:,.0f}</text>'
        )
    names = _apart([at(curve.points[-1])[1] for curve in curves])
    for curve, name_at, colour, dash in zip(curves, names, COLOURS, DASHES, strict=False):
        line = " ".join(f"{px},{py}" for px, py in map(at, curve.points))
        parts.append(f'<polyline class="line" stroke="{colour}" stroke-dasharray="{dash}" points="{line}"/>')
        parts += [f'<circle cx="{px}" cy="{py}" r="3" fill="{colour}"/>' for px, py in map(at, curve.points)]
        parts.append(
            f'<text class="name" fill="{colour}" x="{LEFT + across + 10}" y="{name_at + 4}">'
            f"{escape(curve.name)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _described(curves: Sequence[Curve]) -> str:
    return "; ".join(
        f"{curve.name}: " + ", ".join(f"{y:,.1f} at {x:,.0f}" for x, y in curve.points) for curve in curves
    )


def _apart(heights: Sequence[float], least: float = 17.0) -> list[float]:
    """Names beside each other's lines, none over another."""
    found = list(heights)
    order = sorted(range(len(found)), key=lambda place: found[place])
    for before, after in pairwise(order):
        found[after] = max(found[after], found[before] + least)
    return found


class _Axis:
    def __init__(self, values: Sequence[float], *, tenfold: bool) -> None:
        self._tenfold = tenfold
        if tenfold:
            least, most = floor(log10(max(min(values), 1e-3))), ceil(log10(max(*values, 1e-2)))
            self.ticks = [10.0**power for power in range(least, max(most, least + 1) + 1)]
        else:
            highest = max(*values, 1e-9)
            unit = 10.0 ** floor(log10(highest / 5))
            step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor * 5 >= highest)
            self.ticks = [step * number for number in range(max(1, ceil(highest / step)) + 1)]

    def share(self, value: float) -> float:
        first, last = self.ticks[0], self.ticks[-1]
        if self._tenfold:
            return (log10(max(value, first)) - log10(first)) / (log10(last) - log10(first))
        return (value - first) / (last - first)
