"""The samples as a picture: one small chart for each process, its memory, and the slope that was found."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from faults.soaking.sampling import Sample
from faults.soaking.verdicts import Verdict, points_of

COLUMNS = 3
WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 48, 30
MARGIN, HEAD = 24, 84
STYLE = (
    ".bg{fill:#f7faf9}.card{fill:#fff;stroke:#d3dedc}.grid{stroke:#e3ebea}.axis{stroke:#9fb3b1}"
    ".h1{fill:#12302e;font-size:20px;font-weight:600}.sub{fill:#4a5f5d;font-size:13px}"
    ".name{fill:#12302e;font-size:14px;font-weight:600}.note{fill:#4a5f5d;font-size:12px}"
    ".bad{fill:#b3261e;font-size:12px;font-weight:600}.tick{fill:#4a5f5d;font-size:11px}"
    ".warm{fill:#eef3f2}.line{fill:none;stroke:#0b5f5a;stroke-width:1.6}"
    ".slope{stroke:#c2571a;stroke-width:1.6;stroke-dasharray:6 4}"
)


def svg(samples: Sequence[Sample], verdicts: Sequence[Verdict], *, warm_up: float, rate: float) -> str:
    """Scalable Vector Graphics. Every chart begins at 0 and shows private memory in MiB over minutes."""
    memory = [each for each in verdicts if each.what == "private"]
    rows = ceil(len(memory) / COLUMNS)
    width = 2 * MARGIN + COLUMNS * WIDTH + (COLUMNS - 1) * 16
    height = HEAD + rows * (HEIGHT + 16) + MARGIN
    seconds = max((each.at for each in samples), default=1.0)
    sub = (
        f"Private memory in MiB over {seconds / 60:.0f} minutes at {rate:.0f} ratings a second."
        " Shaded: warm-up, not judged. Dashed: Theil–Sen slope of the rest."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="t d" font-family="\'Be Vietnam Pro\', system-ui, sans-serif">',
        '<title id="t">Memory of every process under a steady load</title>',
        f'<desc id="d">{escape(_described(memory))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="bg" width="{width}" height="{height}" rx="14"/>',
        f'<text class="h1" x="{MARGIN}" y="40">Memory of every process under a steady load</text>',
        f'<text class="sub" x="{MARGIN}" y="64">{escape(sub)}</text>',
    ]
    for place, verdict in enumerate(memory):
        x = MARGIN + place % COLUMNS * (WIDTH + 16)
        y = HEAD + place // COLUMNS * (HEIGHT + 16)
        chart = _chart(samples, verdict, warm_up=warm_up, seconds=seconds)
        parts += [f'<g transform="translate({x} {y})">', *chart, "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _described(memory: Sequence[Verdict]) -> str:
    slopes = "; ".join(f"{each.process} {each.trend.slope:+.1f}" for each in memory)
    return f"Slopes in MiB an hour: {slopes}."


def _chart(samples: Sequence[Sample], verdict: Verdict, *, warm_up: float, seconds: float) -> list[str]:
    points = points_of(samples, verdict.process, "private")
    step, top = _scale(max(value for _, value in points))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(at: float) -> float:
        return round(LEFT + across * at / seconds, 1)

    def y(value: float) -> float:
        return round(TOP + down * (1 - value / top), 1)

    seen = verdict.trend
    note, look = f"{seen.first:.1f} → {seen.last:.1f} MiB, {seen.slope:+.1f} MiB/h", "note"
    if verdict.wrong:
        note, look = verdict.wrong, "bad"
    judged = [at for at, _ in points if at >= warm_up]
    middle = (seen.first + seen.last) / 2
    rise = seen.growth / 2
    parts = [
        f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="10"/>',
        f'<text class="name" x="14" y="22">{escape(verdict.process)}</text>',
        f'<text class="{look}" x="14" y="39">{escape(note)}</text>',
        f'<rect class="warm" x="{LEFT}" y="{TOP}" width="{x(warm_up) - LEFT:.1f}" height="{down}"/>',
    ]
    for number in range(round(top / step) + 1):
        value = number * step
        look = "grid" if number else "axis"
        parts.append(
            f'<line class="{look}" x1="{LEFT}" y1="{y(value)}" x2="{WIDTH - RIGHT}" y2="{y(value)}"/>'
        )
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{value:g}</text>'
        )
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = share * seconds
        look = f'class="tick" text-anchor="{anchor}"'
        parts.append(f'<text {look} x="{x(at)}" y="{HEIGHT - 10}">{at / 60:.0f} min</text>')
    line = " ".join(f"{x(at)},{y(value)}" for at, value in points)
    parts.append(f'<polyline class="line" points="{line}"/>')
    parts.append(
        f'<line class="slope" x1="{x(judged[0])}" y1="{y(middle - rise)}"'
        f' x2="{x(judged[-1])}" y2="{y(middle + rise)}"/>'
    )
    return parts


def _scale(most: float) -> tuple[float, float]:
    """The step of the axis (1, 2 or 5 times a power of ten) and its end: at most five steps."""
    power = 10.0 ** floor(log10(max(most, 1.0) / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 >= most)
    return step, step * max(1, ceil(most / step))
