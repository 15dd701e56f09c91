"""Verification's database says the same as the log, and gives every challenge away once."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from faults.checking.findings import Findings, Wrong
from faults.checking.submissions import Submission

LATE = timedelta(minutes=2)
NONCE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Decisions:
    """`verdicts` by submission id, and when each was decided; `challenges`: who used which (rating id by
    nonce); `waiting`: submissions whose code may still be entered."""

    verdicts: dict[str, str]
    decided_at: dict[str, datetime]
    challenges: dict[bytes, str]
    waiting: set[str]


async def read_decisions(url: str) -> Decisions:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        ratings = await connection.fetch(
            "SELECT r.submission_id::text AS id, r.status, r.reason, r.decided_at, c.expires_at"
            " FROM ratings r LEFT JOIN phone_codes c USING (rating_id)"
        )
        used = await connection.fetch("SELECT nonce, rating_id::text AS id FROM used_challenges")
    finally:
        await connection.close()
    now = datetime.now(UTC)
    return Decisions(
        {row["id"]: row["reason"] or row["status"] for row in ratings},
        {row["id"]: row["decided_at"] for row in ratings},
        {row["nonce"]: row["id"] for row in used},
        {
            row["id"]
            for row in ratings
            if row["status"] == "phone_code_needed" and now < row["expires_at"] + LATE
        },
    )


def check_decisions(decisions: Decisions, submissions: list[Submission], findings: Findings) -> None:
    known = {submission.id for submission in submissions}
    for phantom in decisions.verdicts.keys() - known:
        findings.add(Wrong.PHANTOM, f"verification has decided {phantom}, which is no submission")
    for submission in submissions:
        stored = decisions.verdicts.get(submission.id, "")
        if submission.verdict and stored != submission.verdict:
            text = f"{submission.id}: verification has {stored}, the log {submission.verdict}"
            findings.add(Wrong.CHANGED, text)
        _same_moment(decisions, submission, findings)
        if submission.asks_challenge and submission.verdict not in (
            "",
            "challenge_used",
            "idempotency_key_reused",
        ):
            owner = decisions.challenges.get(_nonce(submission))
            if owner != submission.rating_id:
                findings.add(Wrong.DOUBLED, f"challenge of {submission.rating_id} counts as used by {owner}")


def _same_moment(decisions: Decisions, submission: Submission, findings: Findings) -> None:
    """An outcome told again is the one decided at first, to the microsecond."""
    at = decisions.decided_at.get(submission.id)
    for outcome in submission.outcomes:
        said = outcome.data["decided_at"]
        if at is not None and datetime.fromisoformat(said) != at:
            text = f"{submission.id}: verification decided it at {at.isoformat()}, the log says {said}"
            findings.add(Wrong.CHANGED, text, of="moment")


def _nonce(submission: Submission) -> bytes:
    text = str(submission.posted.body["challenge"]["id"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:NONCE_BYTES]
