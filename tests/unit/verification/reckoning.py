"""What must become of ratings, reckoned one message after the other, without the code's help."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.verification.domain.ratings import ChallengeCheck, CodeCheck

TRIES = 5
WAIT = timedelta(minutes=10)  # five for the SMS to go out, five for its code


@dataclass(frozen=True)
class Sent:
    """A rating as its citizen sends it, each time the same; all are about one officer on one day."""

    name: str
    phone: str
    key: str
    challenge: str | None
    check: ChallengeCheck
    by_phone: bool
    readable: bool = True


@dataclass
class Reckoning:
    """`outcomes` holds "accepted" or a reason; who awaits a code is in `until`."""

    outcomes: dict[str, str] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    entries: set[str] = field(default_factory=set)

    def submitted(self, rating: Sent, now: datetime) -> None:
        if rating.name in self.sent:
            return
        self.sent[rating.name] = rating
        refused = self._refused(rating)
        if refused:
            self.outcomes[rating.name] = refused
        elif rating.by_phone:
            self.until[rating.name], self.wrong[rating.name] = now + WAIT, 0
        else:
            self._counts(rating)

    def _refused(self, rating: Sent) -> str:
        if self.keys.setdefault(rating.key, rating.name) != rating.name:
            return "idempotency_key_reused"
        if rating.challenge is not None:
            if rating.check in (ChallengeCheck.INVALID, ChallengeCheck.EXPIRED):
                return f"challenge_{rating.check.value}"
            if self.challenges.setdefault(rating.challenge, rating.name) != rating.name:
                return "challenge_used"
            if rating.check is ChallengeCheck.WRONG:
                return "challenge_wrong"
        return "" if rating.readable or not rating.by_phone else "phone_unreadable"

    def _counts(self, rating: Sent) -> None:
        first = self.phones.setdefault(rating.phone, rating.name)
        self.outcomes[rating.name] = "accepted" if first == rating.name else "duplicate"

    def entered(self, name: str, entry: str, check: CodeCheck, at: datetime) -> None:
        """An entry that met no rating that waits for it was never a try."""
        if name not in self.until or name in self.outcomes or entry in self.entries:
            return
        self.entries.add(entry)
        if at > self.until[name] or check is CodeCheck.EXPIRED:
            self.outcomes[name] = "expired"
        elif check is CodeCheck.UNREADABLE:
            self.outcomes[name] = "phone_unreadable"
        elif check is CodeCheck.RIGHT:
            self._counts(self.sent[name])
        else:
            self.wrong[name] += 1
            if self.wrong[name] == TRIES:
                self.outcomes[name] = "phone_code_wrong"

    def all_read_until(self, reached: datetime) -> None:
        for name, until in self.until.items():
            if reached > until:
                self.outcomes.setdefault(name, "expired")
