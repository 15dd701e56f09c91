"""Who holds everything that was kept, and whatever keys there are, tries to read numbers and to link them."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from services.intake.domain.identity import fingerprint, identify, pseudonym
from services.intake.domain.rating import Rating, Sound
from services.intake.submitting import _canonical
from tests.support.system import Submitted

_BOX = re.compile(rb"[A-Za-z0-9+/]{60,}={0,2}")  # as JSON and a dump of a table write one


@dataclass(frozen=True, slots=True)
class Spoils:
    """`opened`: what sealed boxes held. `linked`: the numbers found again by a keyed digest."""

    opened: set[str]
    linked: set[str]


def keys_in(folder: Path) -> dict[str, bytes]:
    """All that could be a key, in whatever file it is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text().strip()
            content = base64.b64decode(text) if re.fullmatch(r"[A-Za-z0-9+/]{43}=", text) else text.encode()
            found[path.relative_to(folder).as_posix()] = content
    return found


def attack(keys: Iterable[bytes], kept: Iterable[bytes], known: Mapping[str, Submitted]) -> Spoils:
    """`kept` is all that topics and databases hold; `known`: numbers in E.164, and what was sent for them."""
    everything = b"\n".join(kept)
    boxes = {base64.b64decode(match) for match in set(_BOX.findall(everything)) if len(match) % 4 == 0}
    keys = list(keys)
    opened = {text for key in keys if len(key) == 32 for box in boxes if (text := _opened(key, box))}
    linked = {
        number
        for number, submitted in known.items()
        for digest in _digests(keys, number, submitted)
        if digest in everything
    }
    return Spoils(opened, linked)


def _opened(key: bytes, box: bytes) -> str:
    try:
        return SealedBox(PrivateKey(key)).decrypt(box).decode()
    except (CryptoError, ValueError):
        return ""


def _sound(number: str) -> Sound:
    """As much of it as a body's fingerprint takes."""
    return cast("Sound", SimpleNamespace(phone=number, file_number=None, deciding_unit_id=None))


def _digests(keys: Iterable[bytes], number: str, submitted: Submitted) -> Iterable[bytes]:
    """What the number's ratings would be known by: its pseudonym, and ids that follow from the body."""
    body = submitted.body
    challenge = body.get("challenge")
    rating = Rating(
        edition_id=body["edition_id"],
        officer_id=body["officer_id"],
        answer=body["answer"],
        reasons=body.get("reasons", []),
        phone=body["phone"],
        consent=True,
        challenge=(challenge["id"], challenge["answer"]) if challenge else None,
        channel=body["channel"],
        language="vi",
    )
    keys = list(keys)
    for key in keys:
        yield pseudonym(key, number).encode()
        for secret in keys:
            who = identify(secret, submitted.key, fingerprint(key, _canonical(rating, _sound(number))))
            yield str(who.rating_id).encode()
            yield str(who.submission_id).encode()
