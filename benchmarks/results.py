"""What was measured, as it is kept: one JSON document, from which docs/performance.md is made."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.rounds import Spread, ratios

OURS = "ours"


class Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Side(Kept):
    """One of those measured in turns. `rates`: items a second of each round, on the clock; `core`: items a
    second of its own CPU; `servers`: µs of Kafka's and PostgreSQL's CPU for each item; `apart`: other items
    than ours, so that there is no ratio."""

    name: str
    rates: list[float] = []
    core: list[float] = []
    servers: list[float] = []
    apart: bool = False
    note: str = ""


class Goal(Kept):
    """`low` and `high` are the spread over rounds, where there were rounds."""

    what: str
    got: float
    wanted: float
    at_least: bool = True
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def met(self) -> bool:
        return self.got >= self.wanted if self.at_least else self.got <= self.wanted


class Curve(Kept):
    """Points of a plot, by x."""

    name: str
    points: list[tuple[float, float]] = []


class Row(Kept):
    """`how` says size and method; `checked` what the result was held against; `failure` why it broke off."""

    key: str
    title: str
    unit: str = ""
    how: str = ""
    sides: list[Side] = []
    goals: list[Goal] = []
    figures: dict[str, str] = {}
    curves: dict[str, list[Curve]] = {}
    checked: list[str] = []
    failure: str = ""
    seconds: float = 0.0

    def side(self, name: str, *, apart: bool = False) -> Side:
        """The side of that name, made where it is missing."""
        for each in self.sides:
            if each.name == name:
                return each
        self.sides.append(Side(name=name, apart=apart))
        return self.sides[-1]

    def ratio(self, peer: str, *, of: str = "rates", ours: str = OURS) -> Spread:
        """Ours to the peer's. Raises ValueError where a side has no rounds."""
        return Spread.of(ratios(getattr(self.side(ours), of), getattr(self.side(peer), of)))

    def goal(self, what: str, wanted: float, peer: str, *, ours: str = OURS) -> None:
        """A ratio to a peer; none where either was not measured."""
        if self.side(peer).rates and self.side(ours).rates:
            got = self.ratio(peer, ours=ours)
            self.goals.append(
                Goal(what=what, got=got.median, wanted=wanted, unit="×", low=got.least, high=got.most)
            )


class Results(Kept):
    command: str
    commit: str
    taken_at: str
    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str] = {}
    seconds: float = 0.0
    rows: list[Row] = []

    def row(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.key == key), None)

    def write(self, path: Path) -> None:
        """At once or not at all: what is there stays until the new text is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        beside.replace(path)


def read(path: Path) -> Results:
    return Results.model_validate_json(path.read_text("utf-8"))
