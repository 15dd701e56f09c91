"""Posts one rating through the public API, as often as it takes, and notes every answer."""

import asyncio
import random
import re
import time
from typing import Any

import httpx

from faults import citizens
from faults.ledger import Ledger
from faults.planning import Kind, Planned, spelt
from faults.sms import SmsGateway
from services.verification.challenges import Challenges

POST_SECONDS = 8.0
GIVE_UP_SECONDS = 90.0
CODE_SECONDS = 120.0
CHALLENGE_SECONDS = 120.0
TRIES = 5
LONGEST_PAUSE = 3.0

Answer = tuple[int, dict[str, Any]]


class Client:
    """Sends each request to a replica drawn by `chance`. Unreachable counts as status 0."""

    def __init__(
        self,
        *,
        http: httpx.AsyncClient,
        intake: list[str],
        verification: list[str],
        challenges: Challenges,
        portal_key: str,
        sms: SmsGateway,
        ledger: Ledger,
        chance: random.Random,
    ) -> None:
        self._http = http
        self._intake = intake
        self._verification = verification
        self._challenges = challenges
        self._portal_key = portal_key
        self._sms = sms
        self._ledger = ledger
        self._chance = chance

    async def rate(self, planned: Planned) -> str | None:
        """Returns its rating id once it was kept; None where that is unknown."""
        if not await self._take_challenge(planned):
            return None
        body = planned.body = self._body(planned)
        self._note_plan(planned, body)
        if planned.kind is Kind.HASTY:
            answers = await asyncio.gather(
                self._until_kept(planned, body, 0), self._until_kept(planned, body, 1)
            )
            kept = answers[0] or answers[1]
        else:
            kept = await self._until_kept(planned, body)
        if kept is not None and planned.kind is Kind.REPEATED:
            await self._until_kept(planned, body)
        if kept is not None and planned.asks_code:
            await self._enter_codes(planned, kept)
        if kept is not None and planned.kind is Kind.WITHDRAWN:
            asked = await asyncio.gather(self._withdraw(planned), self._withdraw(planned))
            self._ledger.note("withdrawal", number=planned.number, kept=any(asked))
        return kept

    async def again(self, planned: Planned) -> str | None:
        """The same request once more, of one that was posted."""
        return await self._until_kept(planned, planned.body)

    async def _take_challenge(self, planned: Planned) -> bool:
        """A new one by the API, or the partner's. The digits come from the stack's own key."""
        if planned.kind is Kind.USED and planned.partner is not None:
            planned.challenge = planned.partner.challenge
            return bool(planned.challenge)
        until = time.monotonic() + CHALLENGE_SECONDS
        attempt = 0
        while time.monotonic() < until:
            attempt += 1
            url = f"{self._chance.choice(self._verification)}/v1/challenges"
            status, issued = await self._post(url, {"edition_id": planned.edition})
            if status == 201:
                digits = self._challenges.open(issued["id"]).digits
                if not planned.right:
                    digits = digits[::-1] if digits[::-1] != digits else "000000"
                planned.challenge = {"id": issued["id"], "answer": digits, "expires_at": issued["expires_at"]}
                return True
            await self._pause(attempt)
        self._ledger.note("no-challenge", number=planned.number)
        return False

    def _body(self, planned: Planned) -> dict[str, Any]:
        return {
            "edition_id": planned.edition,
            "officer_id": planned.officer.id,
            "answer": planned.answer,
            "reasons": planned.reasons,
            "phone": spelt(planned.phone, self._chance),
            "consent": True,
            "challenge": {key: planned.challenge[key] for key in ("id", "answer")},
            "channel": planned.channel,
            "language": "vi",
        }

    def _note_plan(self, planned: Planned, body: dict[str, Any]) -> None:
        self._ledger.note(
            "planned",
            number=planned.number,
            kind=planned.kind.value,
            key=planned.key,
            right=planned.right,
            phone_number=planned.phone,
            unit_id=planned.officer.unit_id,
            group_id=planned.officer.group_id,
            challenge_expires_at=planned.challenge["expires_at"],
            body=body,
        )

    async def _until_kept(
        self, planned: Planned, body: dict[str, Any], replica: int | None = None
    ) -> str | None:
        """The same request until its 202, or until it is given up: then only the log knows."""
        until = time.monotonic() + GIVE_UP_SECONDS
        attempt = 0
        while True:
            attempt += 1
            first = (
                replica if replica is not None and attempt == 1 else self._chance.randrange(len(self._intake))
            )
            url = f"{self._intake[first]}/v1/ratings"
            status, said = await self._post(url, body, planned.key)
            rating_id = str(said.get("rating_id", "")) or None
            self._ledger.note(
                "answer",
                number=planned.number,
                attempt=attempt,
                replica=first,
                status=status,
                rating_id=rating_id,
                problem=said.get("type"),
                url=str(said.get("outcome_url", "")),
            )
            if status == 202 and rating_id:
                self._ledger.note("kept", number=planned.number, rating_id=rating_id)
                planned.receipt = str(said.get("receipt", ""))
                return rating_id
            if status not in (0, 429, 500, 502, 503):
                expected = planned.kind is Kind.REUSED_KEY and status == 422
                self._ledger.note(
                    "refused" if expected else "unexpected", number=planned.number, status=status, said=said
                )
                return None
            if time.monotonic() > until:
                self._ledger.note("unknown", number=planned.number)
                return None
            await self._pause(attempt)

    async def _enter_codes(self, planned: Planned, rating_id: str) -> None:
        if planned.kind is Kind.PHONE_SILENT:
            return
        until = time.monotonic() + CODE_SECONDS
        number = f"+84{planned.phone}"
        while not (texts := self._sms.texts_to(number)):
            if time.monotonic() > until:
                self._ledger.note("no-text", number=planned.number)
                return
            await asyncio.sleep(0.2)
        code = _code_in(texts[-1])
        if planned.kind is Kind.PHONE:
            await self._enter(planned, rating_id, code, right=True)
            return
        # First one that is right for another rating, if there is one.
        others = _code_in(self._sms.text_to_another(number) or "")
        wrong = [others, *(f"{(int(code) + offset) % 1_000_000:06d}" for offset in range(1, TRIES + 1))]
        for each in [each for each in dict.fromkeys(wrong) if each != code][:TRIES]:
            await self._enter(planned, rating_id, each, right=False)

    async def _enter(self, planned: Planned, rating_id: str, code: str, *, right: bool) -> None:
        body = {"edition_id": planned.edition, "code": code}
        key = f"{planned.key}-{code}"
        until = time.monotonic() + GIVE_UP_SECONDS
        attempt = 0
        while True:
            attempt += 1
            url = f"{self._chance.choice(self._intake)}/v1/ratings/{rating_id}/phone-code"
            status, said = await self._post(url, body, key)
            if status == 202 or time.monotonic() > until:
                self._ledger.note("code", number=planned.number, right=right, kept=status == 202)
                return
            if status not in (0, 429, 500, 502, 503):
                self._ledger.note("unexpected", number=planned.number, status=status, said=said)
                return
            await self._pause(attempt)

    async def _withdraw(self, planned: Planned) -> bool:
        """Returns whether it was surely taken in."""
        until = time.monotonic() + GIVE_UP_SECONDS
        attempt = 0
        while True:
            attempt += 1
            url = f"{self._chance.choice(self._intake)}/v1/withdrawals"
            status, said = await self._post(url, {"receipt": planned.receipt}, planned.key)
            if status == 202 or time.monotonic() > until:
                return status == 202
            if status not in (0, 429, 500, 502, 503):
                self._ledger.note("unexpected", number=planned.number, status=status, said=said)
                return False
            await self._pause(attempt)

    async def _pause(self, attempt: int) -> None:
        """As a caller should: longer each time, and never all callers at once."""
        await asyncio.sleep(self._chance.uniform(0.5, 1.0) * min(0.3 * 2**attempt, LONGEST_PAUSE))

    async def _post(self, url: str, body: dict[str, Any], key: str = "") -> Answer:
        """Each time as another citizen: that is no part of what makes two requests the same."""
        headers = citizens.headers(self._portal_key, self._chance) if key else {}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            answer = await self._http.post(url, json=body, headers=headers, timeout=POST_SECONDS)
            said = answer.json()
        except (httpx.HTTPError, ValueError):
            return 0, {}
        return answer.status_code, said if isinstance(said, dict) else {}


def _code_in(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    return found[0] if found else "000000"
