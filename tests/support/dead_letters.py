"""Messages spoilt in every way, what an operator types, and a reader that understands nothing."""

import asyncio
import os
import random
import sys
from collections.abc import Mapping
from typing import Any

from contracts.envelope import Envelope, InvalidMessage, Message

MIB = 1024 * 1024
COMMAND_SECONDS = 60.0


def spoilt(good: Message, *, foreign: Message) -> dict[str, tuple[str, Message]]:
    """By what is wrong with it: its reason, and the message. `foreign` belongs to another topic."""
    assert good.value is not None
    kind = dict(good.headers)["ce_type"]
    name, _ = kind.rsplit(b".", 1)

    def typed(other: bytes) -> tuple[tuple[str, bytes], ...]:
        return tuple((name, other if name == "ce_type" else held) for name, held in good.headers)

    return {
        "truncated": ("invalid_data", Message(good.key, good.value[: len(good.value) // 2], good.headers)),
        "wrong schema": ("invalid_data", Message(good.key, b'{"rating": 5}', good.headers)),
        "unknown type": (
            "unknown_type",
            Message(good.key, good.value, typed(b"vn.danang.hailong.rating-praised.v1")),
        ),
        "another topic's": ("unknown_type", foreign),
        "no headers": ("invalid_envelope", Message(good.key, good.value, ())),
        "1 MiB": ("invalid_data", Message(good.key, random.Random(1).randbytes(MIB), good.headers)),
        "null value": ("invalid_data", Message(good.key, None, good.headers)),
        "null key": ("invalid_data", Message(None, b"{", good.headers)),
        "future major": ("unsupported_version", Message(good.key, good.value, typed(name + b".v9"))),
    }


def unreading(reason: str) -> Any:
    """Takes the place of `decode` in a deploy that is at fault."""

    class Unread(InvalidMessage):
        pass

    Unread.reason = reason

    def decode(value: bytes | None, headers: object) -> Envelope[Any]:
        del value, headers
        raise Unread("this deploy understands nothing")

    return decode


async def command(module: str, *arguments: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """`python -m <module> dead-letters …`: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "dead-letters", *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
