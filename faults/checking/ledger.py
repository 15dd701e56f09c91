"""The ledger as the checker reads it: what was posted, and how each rating ended for its caller."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Posted:
    number: int
    kind: str
    key: str
    right: bool
    phone: str
    unit_id: str
    group_id: str
    body: dict[str, Any]
    challenge_expires_at: datetime
    rating_ids: set[str] = field(default_factory=set)
    right_code: bool | None = None  # entered and kept; None: perhaps
    wrong_codes: int = 0
    unsure_codes: int = 0
    withdrawn: bool | None = False  # asked for and kept; None: perhaps

    @property
    def kept(self) -> bool:
        return bool(self.rating_ids)

    @property
    def known_by(self) -> tuple[str, str]:
        """No two ratings have the same challenge and officer."""
        return self.body["challenge"]["id"], self.body["officer_id"]


@dataclass(slots=True)
class Ledger:
    posted: dict[int, Posted] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)  # in answers

    def phones(self) -> set[str]:
        return {each.phone for each in self.posted.values()}


def read_ledger(path: Path) -> Ledger:
    ledger = Ledger()
    codes: dict[int, list[tuple[bool, bool]]] = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # being written
            entry = json.loads(line)
            what, number = entry["what"], entry.get("number")
            if what == "planned":
                ledger.posted[number] = Posted(
                    number,
                    entry["kind"],
                    entry["key"],
                    entry["right"],
                    entry["phone_number"],
                    entry["unit_id"],
                    entry["group_id"],
                    entry["body"],
                    datetime.fromisoformat(entry["challenge_expires_at"]),
                )
            elif what == "answer":
                ledger.urls.append(entry["url"])
            elif what == "kept":
                ledger.posted[number].rating_ids.add(entry["rating_id"])
            elif what == "code":
                codes[number].append((entry["right"], entry["kept"]))
            elif what == "withdrawal":
                ledger.posted[number].withdrawn = True if entry["kept"] else None
            elif what in ("unexpected", "no-text"):
                ledger.unexpected.append(
                    f"rating {number}: {what} {entry.get('status', '')} {entry.get('said', '')}"
                )
    for number, entered in codes.items():
        posted = ledger.posted[number]
        rights = [kept for right, kept in entered if right]
        posted.right_code = None if rights and not any(rights) else any(rights)
        posted.wrong_codes = sum(kept for right, kept in entered if not right)
        posted.unsure_codes = sum(not kept for right, kept in entered if not right)
    return ledger
