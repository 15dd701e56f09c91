"""What a peer that times itself prints: one line of JSON."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timed:
    """From when it is made until `tell`: seconds, and seconds of this process's CPU, all threads together."""

    begun: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def tell(self, count: int, answers: Counter[str] | None = None) -> None:
        """`answers`: what was counted of each, where something was counted."""
        seconds, cpu = time.perf_counter() - self.begun, time.process_time() - self.cpu
        told = {"count": count, "seconds": seconds, "cpu": cpu, "answers": dict(answers or {})}
        print(json.dumps(told), flush=True)  # noqa: T201  its result
