"""What was posted and what was answered, line by line: all that the checker knows of the client."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any


class Ledger:
    """Appends to a JSON-lines file and counts what it appends."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self.counts: Counter[str] = Counter()

    def note(self, what: str, **facts: Any) -> None:
        self.counts[what] += 1
        self._file.write(json.dumps({"what": what, "at": time.time(), **facts}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()
