"""What a process waits for, and whether it has it: the content of /readyz."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Check:
    """One dependency. Whoever talks to it keeps this up to date; nobody polls it for /readyz's sake.

    `required` False marks one without which the process still serves, only less.
    """

    name: str
    ok: bool = False
    detail: str = "waiting"
    required: bool = True

    def up(self, detail: str = "ok") -> None:
        self.ok, self.detail = True, detail

    def down(self, detail: str) -> None:
        self.ok, self.detail = False, detail


@dataclass(slots=True)
class Readiness:
    checks: dict[str, Check] = field(default_factory=dict)

    def check(self, name: str, *, required: bool = True) -> Check:
        """The check of that name, made on first use."""
        return self.checks.setdefault(name, Check(name, required=required))

    @property
    def ready(self) -> bool:
        return all(check.ok for check in self.checks.values() if check.required)
