"""The running system as a client sees it.

Everything goes through the public HTTP APIs but one thing: the digits of a challenge. The demonstration reads
them with the stack's own key, which lies in this checkout; nobody else can. It posts as the portal does: with
its key, and saying for each citizen which visit and which address they come from.
"""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import httpx

from deploy.demo.visits import Officer, Scope, Visit
from services.verification.challenges import Challenges

OUTCOME_SECONDS = 60.0
BUSY_SECONDS = 60.0

Json = dict[str, Any]


class Different(Exception):
    """The system did not do what it was asked to; the text says what."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a scope's figures say, flat: `answer:satisfied`, `reason:late`, `rejection:duplicate` …

    `suppressed`: nothing, as they are of too few; `left_out`: lists that lack items of too few.
    """

    counts: Counter[str] = field(default_factory=Counter)
    suppressed: bool = False
    left_out: frozenset[str] = frozenset()


@dataclass(slots=True)
class City:
    """The running system's public APIs, and what the demonstration has done to it."""

    http: httpx.AsyncClient
    intake: str
    verification: str
    aggregation: str
    challenges: Challenges
    portal_key: str
    edition: Json = field(default_factory=dict)

    async def get(self, url: str, **params: Any) -> Json:
        answer = await self._ask("GET", url, params=params)
        answer.raise_for_status()
        return dict(answer.json())

    async def _ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        """As a caller should: what is refused for now is sent again, unchanged, when the answer says."""
        async with asyncio.timeout(BUSY_SECONDS):
            while True:
                answer = await self.http.request(method, url, **request)
                if answer.status_code not in (429, 503):
                    return answer
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def officers(self) -> list[Officer]:
        found = []
        for group in (await self.get(f"{self.intake}/v1/directory"))["groups"]:
            for unit in (await self.get(f"{self.intake}/v1/directory/groups/{group['id']}"))["units"]:
                shown = await self.get(f"{self.intake}/v1/directory/units/{unit['id']}")
                found += [Officer(o["id"], unit["id"], group["id"]) for o in shown["officers"]]
        return found

    async def rate(self, visit: Visit) -> str:
        """Post it and wait for its outcome: `accepted`, or the reason it was rejected for."""
        edition_id = self.edition["id"]
        issued = await self._ask(
            "POST", f"{self.verification}/v1/challenges", json={"edition_id": edition_id}
        )
        issued.raise_for_status()
        challenge_id = issued.json()["id"]
        digits = self.challenges.open(challenge_id).digits
        if visit.expected == "challenge_wrong":
            digits = digits[::-1] if digits[::-1] != digits else "0" * len(digits)
        body = {
            "edition_id": edition_id,
            "officer_id": visit.officer.id,
            "answer": visit.answer,
            "reasons": visit.reasons,
            "phone": visit.phone,
            "consent": True,
            "challenge": {"id": challenge_id, "answer": digits},
            "channel": visit.channel,
        }
        headers = {
            "Idempotency-Key": secrets.token_urlsafe(24),
            "Authorization": f"Bearer {self.portal_key}",
            "Hailong-Session": secrets.token_urlsafe(16),
            "X-Forwarded-For": str(IPv4Address(0x0A000000 + secrets.randbelow(2**24))),
        }
        answers = [
            await self._ask("POST", f"{self.intake}/v1/ratings", json=body, headers=headers)
            for _ in range(1 + visit.sent_twice)
        ]
        if {answer.status_code for answer in answers} != {202}:
            raise Different(f"intake answered {[answer.status_code for answer in answers]}, not 202")
        if len({answer.json()["rating_id"] for answer in answers}) != 1:
            raise Different("the same request under the same key made two ratings")
        return await self._outcome(answers[0].json()["outcome_url"])

    async def _outcome(self, url: str) -> str:
        async with asyncio.timeout(OUTCOME_SECONDS):
            while True:
                outcome = await self.get(url, wait=20)
                if outcome["status"] == "accepted":
                    return "accepted"
                if outcome["status"] == "rejected":
                    return str(outcome["reason"])

    async def figures(self, scope: Scope, edition_id: str | None = None) -> Shown:
        """Of an edition, or of all."""
        level, name = scope
        address = f"{self.aggregation}/v1/satisfaction/{level}{'/' + name if name else ''}"
        shown = await self.get(address, **({"edition": edition_id} if edition_id else {}))
        if shown["suppressed"]:
            return Shown(suppressed=True)
        flat = Counter({f"answer:{a}": shown[a] for a in ("satisfied", "not_satisfied")})
        flat.update({f"reason:{each['id']}": each["count"] for each in shown["reasons"]})
        flat.update({f"channel:{each['id']}": each["count"] for each in shown["channels"]})
        flat.update({f"rejection:{each['reason']}": each["count"] for each in shown["rejected"]})
        return Shown(+flat, left_out=frozenset(shown["left_out"]))
