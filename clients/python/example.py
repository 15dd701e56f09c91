"""A rating posted by a portal, its outcome and the department's figures. Prints the three.

INTAKE=… VERIFICATION=… AGGREGATION=… HAI_LONG_KEY_FILE=portal.key python example.py OFFICER PHONE
"""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hai_long import aggregation, intake, verification
from hai_long.aggregation.api.default import satisfaction
from hai_long.aggregation.models import Satisfaction
from hai_long.intake.api.directory import edition, officer
from hai_long.intake.api.ratings import submit_rating
from hai_long.intake.models import ChallengeBody as Answer
from hai_long.intake.models import Edition, OfficerWithPlace, RatingBody, TakenRating
from hai_long.verification.api.default import image, new_challenge, outcome
from hai_long.verification.models import ChallengeBody, NewChallenge, OutcomeBody

T = TypeVar("T")


def have(kind: type[T], answer: object) -> T:
    """The answer, unless it is a problem."""
    if not isinstance(answer, kind):
        sys.exit(f"No {kind.__name__}: {answer}")
    return answer


def rate(
    officer_id: str, phone: str, read: Callable[[str, bytes], str]
) -> tuple[TakenRating, OutcomeBody, Satisfaction]:
    """`read` gets a challenge's id and picture, and gives what the citizen reads in it."""
    key = Path(os.environ["HAI_LONG_KEY_FILE"]).read_text().strip()
    visit = {
        "Hailong-Session": secrets.token_urlsafe(24),
        "X-Forwarded-For": "203.0.113.7",
        "Accept-Language": "en",
    }
    ratings = intake.AuthenticatedClient(os.environ["INTAKE"], key, headers=visit)
    decisions = verification.Client(os.environ["VERIFICATION"])
    figures = aggregation.Client(os.environ["AGGREGATION"])

    now = have(Edition, edition.sync(client=ratings))
    unit_id = have(OfficerWithPlace, officer.sync(officer_id, client=ratings)).unit.id
    asked = have(ChallengeBody, new_challenge.sync(client=decisions, body=NewChallenge(now.id)))
    digits = read(asked.id, image.sync_detailed(asked.id, client=decisions).content)
    body = RatingBody(
        edition_id=now.id,
        officer_id=officer_id,
        answer=now.instrument.answers[0].id,
        phone=phone,
        consent=True,
        challenge=Answer(asked.id, digits),
    )
    # After a time-out or a 503, the same again under the same key: it counts once.
    taken = have(
        TakenRating, submit_rating.sync(client=ratings, body=body, idempotency_key=secrets.token_urlsafe(24))
    )
    decided = have(OutcomeBody, outcome.sync(taken.rating_id, client=decisions, wait=20))
    return taken, decided, have(Satisfaction, satisfaction.sync("units", unit_id, client=figures))


def show(_: str, picture: bytes) -> str:
    Path("code.png").write_bytes(picture)
    return input("What does code.png show? ")


if __name__ == "__main__":
    for each in rate(sys.argv[1], sys.argv[2], show):
        print(each)
