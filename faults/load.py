"""A steady stream of ratings, and probes that tell when the system has recovered."""

import asyncio
import random
import time

import httpx

from deploy.local.errors import StackError
from faults.client import Client
from faults.ledger import Ledger
from faults.planning import PROBED, Planned, Planner
from faults.stack import Stack
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.challenges import Challenges

AT_ONCE = 80
PROBES = 12
POLL_SECONDS = 0.1
DRAIN_SECONDS = 150.0
TIMED_SECONDS = 120.0


def client_of(stack: Stack, http: httpx.AsyncClient, ledger: Ledger, chance: random.Random) -> Client:
    """A client of all of the stack's replicas, which can read the challenges that it is given."""
    return Client(
        http=http,
        intake=[replica.url for replica in stack.of("intake")],
        verification=[replica.url for replica in stack.of("verification")],
        challenges=Challenges(read_key(stack.layout.keys / "verification" / CHALLENGE_KEY)),
        portal_key=stack.portal_key,
        sms=stack.sms,
        ledger=ledger,
        chance=chance,
    )


class Load:
    """Posts what the planner draws, `rate` ratings a second, while it is not paused."""

    def __init__(self, client: Client, planner: Planner, rate: float) -> None:
        self._client = client
        self._planner = planner
        self._rate = rate
        self._open = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def resume(self) -> None:
        self._open.set()

    async def drain(self) -> None:
        """Start no new ones, and wait for those under way. Raises what one of them raised."""
        self._open.clear()
        if self._under_way:
            _, left = await asyncio.wait(set(self._under_way), timeout=DRAIN_SECONDS)
            if left:
                raise StackError(f"{len(left)} ratings were still under way after {DRAIN_SECONDS:.0f} s.", "")
        if self._failure is not None:
            raise self._failure

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            if not self._open.is_set():
                await self._open.wait()
                due = time.monotonic()
            group = self._planner.draw()
            await self._room.acquire()
            task = asyncio.create_task(self._post(group))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
            due = max(due + len(group) / self._rate, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _post(self, group: list[Planned]) -> None:
        for planned in group:
            await self._client.rate(planned)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()
        if not task.cancelled() and task.exception() is not None:
            self._failure = self._failure or task.exception()


class Probes:
    """Ratings of units that nothing else rates: seen in the public figures, the whole way works again."""

    def __init__(self, client: Client, planner: Planner, http: httpx.AsyncClient, figures: list[str]) -> None:
        self._client = client
        self._planner = planner
        self._http = http
        self._figures = figures
        self._posted = 0

    async def recovered(self, seconds: float) -> bool:
        """Post probes now; whether all of them show in the figures within `seconds`.

        Those that do not are the checker's to judge: the next ones count from what shows then.
        """
        if await self._post_and_see(seconds):
            return True
        self._posted = max(0, await self._shown())
        return False

    async def timed(self) -> tuple[float, float]:
        """Post one: the seconds until it was kept, and from then until a replica shows it.

        Raises StackError where that is not within two minutes.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(TIMED_SECONDS):
                while await self._client.rate(self._planner.probe(self._planner.probed[0])) is None:
                    pass
                kept = time.monotonic()
                self._posted += 1
                while max(await asyncio.gather(*map(self._shown_by, self._figures))) < self._posted:
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise StackError(f"A rating was not shown within {TIMED_SECONDS:.0f} s.", "") from error
        return kept - began, time.monotonic() - kept

    async def _post_and_see(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        officers = [self._planner.probed[n % len(self._planner.probed)] for n in range(PROBES)]
        try:
            async with asyncio.timeout(seconds):
                probes = [self._planner.probe(officer) for officer in officers]
                kept = await asyncio.gather(*(self._client.rate(probe) for probe in probes))
        except TimeoutError:
            return False
        self._posted += sum(each is not None for each in kept)
        while time.monotonic() < until:
            if await self._shown() >= self._posted:
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _shown(self) -> int:
        """The probes in the figures that every replica shows; -1 while one of them cannot be read."""
        return min(await asyncio.gather(*(self._shown_by(replica) for replica in self._figures)))

    async def _shown_by(self, replica: str) -> int:
        shown = 0
        for unit in PROBED:
            try:
                answer = await self._http.get(
                    f"{replica}/v1/satisfaction/units/{unit}", params={"edition": "faults-captcha"}
                )
            except httpx.HTTPError:
                return -1
            if answer.status_code != 200:
                return -1
            shown += int(answer.json()["total"])
        return shown
