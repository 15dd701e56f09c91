"""Who may see which full figures: by what the provider says of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.oidc import listed, subject_of
from services.aggregation.domain import CITY, Level, Scope

EVERYWHERE = "*"
"""In the claim: the survey office, auditors."""
GRANTED = (Level.UNIT, Level.GROUP)
MOST_GRANTS = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has signed in. `subject` is a digest: who keeps the log can tell by the provider's list
    of people whose it is, and nobody else can."""

    subject: str
    grants: frozenset[str]

    @property
    def scopes(self) -> list[Scope]:
        """What the claim may name, whether it is there or not."""
        if EVERYWHERE in self.grants:
            return [CITY]
        return [Scope(level, each) for level in reversed(GRANTED) for each in sorted(self.grants)]

    def may_see(self, path: Sequence[Scope]) -> bool:
        """`path`: a place and all that is above it."""
        return EVERYWHERE in self.grants or any(
            scope.level in GRANTED and scope.id in self.grants for scope in path
        )


def caller_of(claims: Mapping[str, Any], claim: str) -> Caller:
    return Caller(subject_of(claims), frozenset(listed(claims.get(claim))[:MOST_GRANTS]))
