"""Which faults there are, and in which order a campaign meets them."""

import random
from dataclasses import dataclass
from enum import StrEnum

from faults.proxy import Trouble
from faults.replicas import SERVICES
from faults.sms import SmsTrouble


class Act(StrEnum):
    """What is done to a target."""

    KILL = "kill"
    KILL_ALL = "kill all"
    TERM = "term"
    FREEZE = "freeze"
    AWAY = "away"  # a replica stopped, and started again after the others took its work over
    CRASH = "crash at"
    ZOMBIE = "freeze at"
    LINK = "link"
    BROKER_KILL = "broker kill"
    BROKER_RESTART = "broker restart"
    BROKER_FREEZE = "broker freeze"
    BROKER_DISK = "broker disk full"
    BROKER_AWAY = "broker away"  # until the system has recovered without it
    POSTGRES_IMMEDIATE = "postgres immediate shutdown"
    POSTGRES_KILL = "postgres kill"
    POSTGRES_RESTART = "postgres restart"
    SMS = "sms"


BROKER = (Act.BROKER_KILL, Act.BROKER_RESTART, Act.BROKER_FREEZE, Act.BROKER_DISK, Act.BROKER_AWAY)
POSTGRES = (Act.POSTGRES_IMMEDIATE, Act.POSTGRES_KILL, Act.POSTGRES_RESTART)
FAILPOINTS = {
    "intake": ("before-append", "after-append"),
    "verification-worker": (
        "before-database-commit",
        "after-database-commit",
        "before-kafka-commit",
        "after-kafka-commit",
        "after-sms",
    ),
    "aggregation-worker": ("before-database-commit", "after-database-commit", "after-group-commit"),
}
ZOMBIES = {
    "verification-worker": ("before-database-commit", "after-database-commit", "before-kafka-commit"),
    "aggregation-worker": ("before-database-commit",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`target` is a service, a service's link (`service/dependency`) or nothing; `detail` the failpoint or
    trouble; `replica` the one that suffers, None for all."""

    act: Act
    target: str = ""
    detail: str = ""
    replica: int | None = None
    seconds: float = 0.0

    @property
    def kind(self) -> str:
        return " ".join(part for part in (self.act.value, self.target, self.detail) if part)

    @property
    def part(self) -> str:
        """What breaks: goals of recovery are set for each."""
        if self.act is Act.BROKER_AWAY:
            return "one broker of several away"
        if self.act in BROKER:
            return "broker"
        if self.act in POSTGRES:
            return "PostgreSQL"
        return {Act.LINK: "network", Act.SMS: "SMS gateway"}.get(self.act, "process")

    def __str__(self) -> str:
        which = "" if self.replica is None else f" #{self.replica}"
        return f"{self.kind}{which}" + (f" for {self.seconds:.1f} s" if self.seconds else "")


FREEZE_SECONDS = 8.5  # longer than the session timeout of consumers, so the partitions move meanwhile


def deck(brokers: int = 1) -> list[Fault]:
    """One of each kind, without a replica drawn yet."""
    found: list[Fault] = []
    for service in SERVICES:
        name = service.name
        found += [
            Fault(Act.KILL, name),
            Fault(Act.TERM, name),
            Fault(Act.FREEZE, name, seconds=FREEZE_SECONDS),
        ]
        if service.replicas > 1:
            found += [Fault(Act.KILL_ALL, name), Fault(Act.AWAY, name, seconds=4.0)]
        dependencies = [d for d, has in (("kafka", service.kafka), ("postgres", service.postgres)) if has]
        for dependency in dependencies:
            for trouble in Trouble:
                found.append(Fault(Act.LINK, f"{name}/{dependency}", trouble.value, seconds=6.0))
    found += [Fault(Act.CRASH, name, point) for name, points in FAILPOINTS.items() for point in points]
    found += [
        Fault(Act.ZOMBIE, name, point, seconds=FREEZE_SECONDS)
        for name, points in ZOMBIES.items()
        for point in points
    ]
    servers = (Act.BROKER_KILL, Act.BROKER_RESTART, Act.POSTGRES_IMMEDIATE, Act.POSTGRES_KILL)
    found += [Fault(act) for act in (*servers, Act.POSTGRES_RESTART)]
    found.append(Fault(Act.BROKER_FREEZE, seconds=6.0))
    found.append(Fault(Act.BROKER_FREEZE, detail="past every deadline", seconds=35.0))
    found.append(Fault(Act.BROKER_DISK))
    if brokers > 1:
        found.append(Fault(Act.BROKER_AWAY))
    found += [Fault(Act.SMS, detail=trouble.value, seconds=6.0) for trouble in SmsTrouble]
    return found


HEAVY = (Act.BROKER_KILL, Act.BROKER_RESTART, Act.BROKER_AWAY, Act.POSTGRES_IMMEDIATE, Act.POSTGRES_KILL)


def schedule(cycles: int, seed: int, *, brokers: int = 1, only: str = "") -> list[Fault]:
    """So many faults: whole decks shuffled, so that every kind comes before any comes again. `only` keeps
    the kinds whose name contains one of its comma-separated parts.
    """
    chance = random.Random(seed)
    replicas = {service.name: service.replicas for service in SERVICES}
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    cards = [fault for fault in deck(brokers) if not wanted or any(part in fault.kind for part in wanted)]
    if not cards:
        raise ValueError(f"no kind of fault contains any of: {only}")
    found: list[Fault] = []
    while len(found) < cycles:
        pack = list(cards)
        # Servers are more than their few kinds: what everything depends on breaks twice a deck.
        pack += [fault for fault in cards if fault.act in HEAVY]
        chance.shuffle(pack)
        found += [_drawn(fault, chance, replicas, brokers) for fault in pack]
    return found[:cycles]


def _drawn(fault: Fault, chance: random.Random, replicas: dict[str, int], brokers: int) -> Fault:
    seconds = round(fault.seconds * chance.uniform(0.8, 1.3), 1) if fault.seconds else 0.0
    if fault.act in (Act.FREEZE, Act.ZOMBIE):
        seconds = max(seconds, FREEZE_SECONDS)
    replica: int | None = None
    if fault.act in BROKER:
        replica = chance.randrange(brokers)
    elif fault.target and fault.act is not Act.KILL_ALL:
        count = replicas[fault.target.split("/")[0]]
        replica = chance.randrange(count)
        if fault.act is Act.LINK and chance.random() < 0.5:
            replica = None
    return Fault(fault.act, fault.target, fault.detail, replica, seconds)
