"""What the fake APIs hold, and how they misbehave."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.unit.portal.fake_data import Json


@dataclass
class FakeCity:
    """What the APIs hold, and how they misbehave; tests set it and look at it."""

    policy: str = "captcha"
    proof_of_work: str = "none"
    edition_open: bool = True
    asks_further: bool = False  # praise, and a scale
    intake_down: bool = False
    takes_but_answers_503: int = 0
    limited_seconds: int = 0
    takes_no_key: bool = False
    headers: list[dict[str, str]] = field(default_factory=list)
    verification_down: bool = False
    aggregation_down: bool = False
    undecided: bool = False
    forced_reason: str | None = None
    refuse_phone: bool = False
    refused_with: tuple[int, str] | None = None
    vouches: bool = False
    vouching: list[str] = field(default_factory=list)
    file_numbers: str = "none"
    asks_respondent: bool = False
    posts: list[Json] = field(default_factory=list)
    ratings: dict[str, Json] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    withdrawable_days: int = 30
    slow_to_withdraw: bool = False
    challenges: int = 0
    phone_posts: list[Json] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    clients: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    figures: dict[str, tuple[int, int]] = field(default_factory=dict)
    suppress_below: int = 1
    partial: bool = False
    left_out: list[str] = field(default_factory=list)
    officer_batch: int = 5
    older_api: bool = False
    change: Json | None = None
    rank: Json | None = None
    response: Json | None = None
    scales: list[Json] = field(default_factory=list)
    revision: int = 7
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def count(self, satisfied: int, rest: int) -> None:
        """Set every scope's figures, and tell the streams."""
        self.figures = {"*": (satisfied, rest)}
        self.revision += 1
        self.updated_at = datetime.now(UTC)
        self.changed.set()
        self.changed = asyncio.Event()
