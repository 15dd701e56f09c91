"""Looks at everything that a program needs at once, and says a line of each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok` None: it cannot be told from here. `text`: what is there, or what is missing and how to get it."""

    what: str
    ok: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Looks at one part. `find` may break off anywhere: what it has said by then stands.

    `setting` is where to look when it does.
    """

    what: str
    find: Callable[[], AsyncIterator[Finding]]
    setting: str


async def look(probes: Iterable[Probe], *, seconds: float = SECONDS) -> list[Finding]:
    """All of them side by side, each for so long at most; in their order."""
    found = await asyncio.gather(*(_found_by(each, seconds) for each in probes))
    return [finding for each in found for finding in each]


async def _found_by(probe: Probe, seconds: float) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(seconds):
            async for finding in probe.find():
                found.append(finding)  # noqa: PERF401 - what was found before a failure is kept
    except TimeoutError:
        found.append(Finding(probe.what, False, f"no answer within {seconds:g} s; see {probe.setting}"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is wrong with this part
        found.append(Finding(probe.what, False, f"{type(error).__name__}: {error}; see {probe.setting}"))
    return found


def lines(found: Sequence[Finding]) -> list[str]:
    marks = {True: "ok", False: "NO", None: "?"}
    width = max((len(each.what) for each in found), default=0)
    return [f"{marks[each.ok]:<2}  {each.what:<{width}}  {each.text}" for each in found]
