"""Each rating kept has one submission, and each submission the one outcome that it must have."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from faults.checking.findings import Findings, Wrong
from faults.checking.ledger import Ledger, Posted
from faults.checking.reading import Record, Topic

COPIED = ("edition_id", "group_id", "unit_id", "officer_id", "channel")
PERSONAL = {"phone_pseudonym": "pseudonym", "rating_id": "rating's id", "idempotency_token": "key's token"}
"""What a submission says that leads to a person, or to what a person holds."""
CITY_HOURS = timedelta(hours=7)


@dataclass(slots=True)
class Submission:
    id: str
    deliveries: list[Record]
    posted: Posted
    outcomes: list[Record] = field(default_factory=list)
    withdrawals: list[Record] = field(default_factory=list)

    @property
    def first(self) -> Record:
        return self.deliveries[0]

    @property
    def rating_id(self) -> str:
        return str(self.first.data["rating_id"])

    @property
    def verdict(self) -> str:
        """`accepted`, or the reason of the rejection; empty where there is none."""
        if not self.outcomes:
            return ""
        outcome = self.outcomes[0]
        return "accepted" if outcome.type == "rating-accepted" else str(outcome.data["reason"])

    @property
    def slot(self) -> tuple[str, str, str, str]:
        day = (datetime.fromisoformat(self.first.data["submitted_at"]) + CITY_HOURS).date().isoformat()
        return self.posted.phone, self.posted.body["officer_id"], self.posted.body["edition_id"], day

    @property
    def asks_challenge(self) -> bool:
        return bool(self.posted.body["edition_id"] != "faults-phone")

    @property
    def asks_code(self) -> bool:
        return bool(self.posted.body["edition_id"] != "faults-captcha")


def match(ledger: Ledger, submitted: Topic, outcomes: Topic, findings: Findings) -> list[Submission]:
    """The submissions of the log, with what was posted and what came of them. What matches none is wrong."""
    known = {posted.known_by: posted for posted in ledger.posted.values()}
    found: dict[str, Submission] = {}
    by_number: dict[int, set[str]] = defaultdict(set)
    for record in submitted.records:
        if record.type != "rating-submitted":
            continue
        posted = known.get((record.data["challenge"]["id"], record.data["officer_id"]))
        if posted is None:
            findings.add(Wrong.PHANTOM, f"submission {record.id} was never posted")
            continue
        by_number[posted.number].add(record.id)
        found.setdefault(record.id, Submission(record.id, [], posted)).deliveries.append(record)
    for record in outcomes.records:
        submission = found.get(record.data["submission_id"])
        if submission is None:
            findings.add(Wrong.PHANTOM, f"outcome {_where(record)} of no submission")
        elif record.type == "rating-withdrawn":
            submission.withdrawals.append(record)
        else:
            submission.outcomes.append(record)
    for posted in ledger.posted.values():
        _one_submission(posted, by_number[posted.number], found, findings)
    return list(found.values())


def _one_submission(posted: Posted, ids: set[str], found: dict[str, Submission], findings: Findings) -> None:
    if posted.kept and not ids:
        findings.add(Wrong.LOST, f"rating {posted.number} ({posted.kind}): 202, and no submission")
    if len(ids) > 1:
        findings.add(Wrong.DOUBLED, f"rating {posted.number} ({posted.kind}): submissions {sorted(ids)}")
    on_log = {found[each].rating_id for each in ids}
    if ids and not posted.rating_ids <= on_log:
        findings.add(Wrong.CHANGED, f"rating {posted.number}: told {posted.rating_ids}, logged {on_log}")
    if len(posted.rating_ids) > 1:
        findings.add(Wrong.DOUBLED, f"rating {posted.number}: two rating ids {posted.rating_ids}")


def check_outcomes(submissions: Iterable[Submission], waiting: set[str], findings: Findings) -> None:
    """One outcome each, copied from what was posted, and allowed by the rules below.

    `waiting`: those for whose code verification still waits; one that was surely entered is no excuse.
    """
    decided = []
    for submission in submissions:
        name = f"rating {submission.posted.number} ({submission.posted.kind}), submission {submission.id}"
        for delivery in submission.deliveries:
            _same(submission, delivery, findings)
        if len(submission.outcomes) > 1:
            where = ", ".join(_where(each) for each in submission.outcomes)
            findings.add(Wrong.DOUBLED, f"{name}: {len(submission.outcomes)} outcomes at {where}")
        if submission.outcomes:
            decided.append(submission)
            for outcome in submission.outcomes:
                _copied(submission, outcome, findings)
                _impersonal(submission, outcome, findings)
        elif submission.id not in waiting or submission.posted.right_code:
            findings.add(Wrong.LOST, f"{name}: no outcome")
        _withdrawn(submission, name, findings)
    _rules(decided, findings)


def _same(submission: Submission, delivery: Record, findings: Findings) -> None:
    posted, said = submission.posted, delivery.data
    wanted = {
        **{name: posted.body[name] for name in ("edition_id", "officer_id", "answer", "channel")},
        "unit_id": posted.unit_id,
        "group_id": posted.group_id,
        "reasons": posted.body["reasons"],
    }
    for name, value in wanted.items():
        if said[name] != value:
            findings.add(Wrong.CHANGED, f"submission {submission.id}: {name} is {said[name]}, posted {value}")
    if delivery.key != said["rating_id"]:
        findings.add(Wrong.CHANGED, f"submission {submission.id}: key {delivery.key} is not its rating's id")


def _copied(submission: Submission, outcome: Record, findings: Findings) -> None:
    names = COPIED if outcome.type == "rating-rejected" else (*COPIED, "answer", "reasons")
    for name in names:
        if outcome.data[name] != submission.first.data[name]:
            findings.add(Wrong.CHANGED, f"outcome of {submission.id}: another {name}")
    if outcome.data["submitted_at"] not in {each.data["submitted_at"] for each in submission.deliveries}:
        findings.add(Wrong.CHANGED, f"outcome of {submission.id}: another submitted_at")


def _withdrawn(submission: Submission, name: str, findings: Findings) -> None:
    """One withdrawal of what was accepted, if it was asked for, and of nothing else."""
    found, asked = submission.withdrawals, submission.posted.withdrawn
    if len(found) > 1:
        where = ", ".join(_where(each) for each in found)
        findings.add(Wrong.DOUBLED, f"{name}: {len(found)} withdrawals at {where}", of="withdrawals")
    if found and (asked is False or submission.verdict != "accepted"):
        findings.add(Wrong.CHANGED, f"{name}: withdrawn, and {submission.verdict}", of="withdrawals")
    if asked and submission.verdict == "accepted" and not found:
        findings.add(Wrong.LOST, f"{name}: not withdrawn", of="withdrawals")
    for record in found:
        _copied(submission, record, findings)
        _impersonal(submission, record, findings)
        accepted = {each.data["decided_at"] for each in submission.outcomes}
        if record.data["kind"] != "citizen" or record.data["accepted_at"] not in accepted:
            findings.add(Wrong.CHANGED, f"{name}: withdrawn as {record.data}", of="withdrawals")


def _impersonal(submission: Submission, outcome: Record, findings: Findings) -> None:
    """Outcomes are kept for ever, and anyone may read them."""
    text = " ".join((outcome.key, *outcome.headers.values(), json.dumps(outcome.data))).replace("-", "")
    for field_, name in PERSONAL.items():
        value = str(submission.first.data.get(field_) or "").replace("-", "")
        if value and value in text:
            findings.add(Wrong.LEAK, f"outcome {_where(outcome)} carries its {name}", of=name)


def _rules(decided: list[Submission], findings: Findings) -> None:
    """Key, challenge, phone code, slot: in this order each may end a rating; of those that share a key, a
    challenge or a slot, exactly one gets past it.
    """
    left = _first_wins(decided, lambda s: s.posted.key, "idempotency_key_reused", findings)
    asked = [s for s in left if s.asks_challenge]
    right = _first_wins(asked, lambda s: s.posted.body["challenge"]["id"], "challenge_used", findings)
    passed = [s for s in left if not s.asks_challenge]
    for submission in right:
        expires = submission.posted.challenge_expires_at
        late = any(datetime.fromisoformat(d.data["submitted_at"]) > expires for d in submission.deliveries)
        if late and submission.verdict == "challenge_expired":
            continue
        if not submission.posted.right:
            _must(submission, {"challenge_wrong"}, findings)
        else:
            passed.append(submission)
    coded = []
    for submission in passed:
        if submission.asks_code and submission.verdict not in ("accepted", "duplicate"):
            _must(submission, _code_verdicts(submission.posted), findings)
        elif submission.asks_code and submission.posted.right_code is False:
            findings.add(
                Wrong.CHANGED, f"rating {submission.posted.number}: accepted without its code", of="code"
            )
        else:
            coded.append(submission)
    for submission in _first_wins(coded, lambda s: s.slot, "duplicate", findings):
        _must(submission, {"accepted"}, findings)


def _code_verdicts(posted: Posted) -> set[str]:
    if posted.right_code:
        return set()
    wrong_possible = posted.wrong_codes + posted.unsure_codes >= 5
    wrong_certain = posted.wrong_codes >= 5
    return ({"phone_code_wrong"} if wrong_possible else set()) | (set() if wrong_certain else {"expired"})


def _first_wins(
    submissions: Iterable[Submission], shared: Callable[[Submission], object], loses: str, findings: Findings
) -> list[Submission]:
    groups: dict[object, list[Submission]] = defaultdict(list)
    for submission in submissions:
        groups[shared(submission)].append(submission)
    winners = []
    for group in groups.values():
        won = [s for s in group if s.verdict != loses]
        if len(won) != 1:
            numbers = {s.posted.number: s.verdict for s in group}
            kind = Wrong.DOUBLED if len(won) > 1 else Wrong.CHANGED
            findings.add(kind, f"{len(won)} got past `{loses}` where one should: {numbers}", of=loses)
        winners += won
    return winners


def _must(submission: Submission, verdicts: set[str], findings: Findings) -> None:
    if submission.verdict not in verdicts:
        posted = submission.posted
        wanted = " or ".join(sorted(verdicts)) or "accepted"
        findings.add(
            Wrong.CHANGED,
            f"rating {posted.number} ({posted.kind}): {submission.verdict}, must be {wanted}",
            of=wanted,
        )


def _where(record: Record) -> str:
    return f"{record.topic}-{record.partition}@{record.offset}"
