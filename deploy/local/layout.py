"""Where the embedded stack keeps its files, all inside the checkout. Standard library only."""

from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one embedded stack below `root`."""

    root: Path = CHECKOUT / ".local"

    @property
    def jars(self) -> Path:
        return self.root / "jars"

    @property
    def kafka(self) -> Path:
        return self.root / "data" / "kafka"

    @property
    def postgres(self) -> Path:
        return self.root / "data" / "postgres"

    @property
    def postgres_with_tls(self) -> Path:
        """Brought by the tests of transport security."""
        return self.root / "postgres-with-tls"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def portal_key(self) -> Path:
        """What proves the portal to intake."""
        return self.keys / "portal" / "intake.key"

    @property
    def sign_in_secret(self) -> Path:
        """What proves the portal to the local sign-in."""
        return self.keys / "portal" / "sign-in.key"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def recovery_key(self) -> Path:
        """What opens the keys of backups. Anywhere but here it would be on another machine."""
        return self.root / "recovery" / "recovery.key"

    @property
    def run(self) -> Path:
        """What the running stack says of itself: its lock, its processes, its addresses."""
        return self.root / "run"

    @property
    def kept_by_clean(self) -> frozenset[str]:
        """What can be had again by downloading, the lock, and what is there for when all else is lost."""
        return frozenset({"jars", "bench", "node", "pip", "postgres-with-tls", "run", "backups", "recovery"})
