"""Use one challenge for many ratings at the same moment, against two replicas of every service."""

import asyncio
import random
import secrets
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy.local.layout import Layout
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars
from faults import citizens
from faults.stack import Stack
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.challenges import Challenges

EDITION = "faults-captcha"
OFFICER = "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong"
RACE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Race:
    """What became of the ratings that shared a challenge."""

    outcomes: Counter[str]

    @property
    def held(self) -> bool:
        """One counted, and each of the others was told why it does not."""
        return self.outcomes["accepted"] == 1 and set(self.outcomes) <= {"accepted", "challenge_used"}


class Racers:
    """Citizens of a portal, each with another number and visit, at all replicas of the stack."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._intake = [replica.url for replica in stack.of("intake")]
        self._verification = [replica.url for replica in stack.of("verification")]
        self._challenges = Challenges(read_key(stack.layout.keys / "verification" / CHALLENGE_KEY))
        self._portal_key = stack.portal_key
        self._chance = random.Random()
        self._http = http

    async def race(self, ratings: int) -> Race:
        """`ratings` posts at the same moment, spread over the replicas of intake."""
        url = f"{self._verification[0]}/v1/challenges"
        issued = (await self._http.post(url, json={"edition_id": EDITION})).raise_for_status().json()
        digits = self._challenges.open(issued["id"]).digits
        challenge = {"id": issued["id"], "answer": digits}
        async with asyncio.timeout(RACE_SECONDS):
            told = await asyncio.gather(*(self._rate(challenge, number) for number in range(ratings)))
        return Race(Counter(told))

    async def _rate(self, challenge: dict[str, str], number: int) -> str:
        """Its outcome: `accepted`, or the reason why not."""
        body = {
            "edition_id": EDITION,
            "officer_id": OFFICER,
            "answer": "satisfied",
            "phone": f"090{secrets.randbelow(10**7):07d}",
            "consent": True,
            "challenge": challenge,
        }
        headers = {
            "Idempotency-Key": secrets.token_urlsafe(24),
            **citizens.headers(self._portal_key, self._chance),
        }
        intake = f"{self._intake[number % len(self._intake)]}/v1/ratings"
        while (answer := await self._http.post(intake, json=body, headers=headers)).status_code == 503:
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
        rating_id = answer.raise_for_status().json()["rating_id"]
        outcome = f"{self._verification[number % len(self._verification)]}/v1/ratings/{rating_id}/outcome"
        while (said := (await self._http.get(outcome, params={"wait": 20})).json())["status"] == "pending":
            pass
        return str(said.get("reason", said["status"]))


async def _races(folder: Path, challenges: int, ratings: int, console: Console) -> list[Race]:
    await ensure_jars(Layout(), Report(console))
    stack = Stack(folder, Layout().jars.absolute(), 1)
    try:
        await stack.start()
        limits = httpx.Limits(max_connections=ratings)
        async with httpx.AsyncClient(timeout=40, limits=limits) as http:
            racers = Racers(stack, http)
            with Progress(console=console) as progress:
                return [
                    await racers.race(ratings)
                    for _ in progress.track(range(challenges), description="Racing")
                ]
    finally:
        await stack.stop()


def run(
    challenges: Annotated[int, typer.Option(min=1, help="How many are raced for, one after another.")] = 20,
    ratings: Annotated[int, typer.Option(min=2, max=200, help="How many race for each.")] = 50,
) -> None:
    """Race for challenges in a stack of its own; fails where one counts for none or for more than one rating.

    Example: python -m attacks challenge-races --challenges 20 --ratings 50
    """
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        races = asyncio.run(_races(Path(folder), challenges, ratings, console))
    total = sum((race.outcomes for race in races), Counter[str]())
    table = Table("outcome", "ratings", title=f"{challenges} challenges, {ratings} ratings for each")
    for outcome, count in total.most_common():
        table.add_row(outcome, str(count))
    console.print(table)
    broken = sum(not race.held for race in races)
    console.print(f"{broken} of {challenges} challenges counted otherwise than once.")
    if broken:
        raise typer.Exit(1)
