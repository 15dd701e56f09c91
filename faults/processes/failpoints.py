"""A place in a process where it crashes or freezes when it comes by for the n-th time.

`FAULTS_FAILPOINT` names the place, `FAULTS_ACTION` is `exit` or `freeze`, `FAULTS_COUNT` is n.
"""

import os
import signal
import sys

CRASHED = 70


class Failpoint:
    def __init__(self, environment: dict[str, str]) -> None:
        self._place = environment["FAULTS_FAILPOINT"]
        self._action = environment.get("FAULTS_ACTION", "exit")
        self._left = int(environment.get("FAULTS_COUNT", "3"))

    def here(self, place: str) -> None:
        """Freezing happens once; after SIGCONT the process goes on from here."""
        if place != self._place or self._left <= 0:
            return
        self._left -= 1
        if self._left:
            return
        sys.stderr.write(f"failpoint {place}: {self._action}\n")
        sys.stderr.flush()
        if self._action == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            os._exit(CRASHED)
