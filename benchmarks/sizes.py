"""How much of everything is measured: for the whole run, and for a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Records, ratings, pictures are counts; `…_seconds` are seconds. What is 0 or empty is left out;
    `every_peer`: also those that no goal is about."""

    rounds: int = 5
    every_peer: bool = True
    intake_seconds: float = 3.0
    intake_curve: tuple[float, ...] = (0.25, 0.5, 0.75, 1.25)
    """Shares of what was taken at most."""
    half_seconds: float = 6.0
    produced: int = 60_000
    submissions: int = 8_000
    outcomes: int = 20_000
    streams: int = 120_000
    streams_warm: int = 40_000
    consumed: int = 120_000
    faust: int = 30_000
    rebuilt: int = 50_000
    rebuilt_long: int = 1_000_000
    end_to_end_rate: float = 200.0
    end_to_end_seconds: float = 60.0
    end_to_end_curve: tuple[float, ...] = (50.0, 100.0, 300.0)
    end_to_end_curve_seconds: float = 10.0
    reads: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    reads_folded: int = 100_000
    reads_rounds: int = 60
    pictures: int = 60
    challenge_seconds: float = 4.0
    scale_rounds: int = 3
    paused_seconds: float = 60.0
    idle_seconds: float = 30.0


WHOLE = Sizes()
QUICK = Sizes(
    rounds=3,
    every_peer=False,
    intake_seconds=1.5,
    intake_curve=(),
    half_seconds=0.0,
    produced=0,
    submissions=4_000,
    outcomes=10_000,
    streams=80_000,
    streams_warm=40_000,
    pictures=30,
    challenge_seconds=1.5,
)
