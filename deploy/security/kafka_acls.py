"""Who may do what on Kafka, derived from the topic catalogue; what nobody is allowed is denied.

The principals are the services, by their names in the catalogue; `operators`, who make topics and send dead
letters again; and `scaling`, which sees how far consumers are behind and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chassis.dead_letters.redriving import transactional_id
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS, SEALED, TOPICS
from services.aggregation.adapters.faust_worker import GROUP as AGGREGATION
from services.intake.adapters.office_ledger import TRANSACTIONS as OFFICE
from services.verification.adapters.outcome_log import TRANSACTIONS
from services.verification.adapters.submissions import GROUP as VERIFICATION

FILE = Path(__file__).with_name("kafka-acls.sh")
OPERATORS = "operators"
SCALING = "scaling"
CONSUMED = {VERIFICATION: RATING_SUBMISSIONS, AGGREGATION: RATING_OUTCOMES}  # by consumer group
REDRIVEN = (RATING_SUBMISSIONS, RATING_OUTCOMES)
_HEAD = """\
#!/bin/sh
# Who may do what on Kafka; what is not allowed here is denied. Generated from the topic catalogue by
# `make acls`. Apply it as an administrator, as often as you like:
#
#   BOOTSTRAP=broker:9093 COMMAND_CONFIG=admin.properties sh kafka-acls.sh
#
# KAFKA_ACLS names Kafka's tool where it is not on the PATH. Nothing is taken away: compare with
# `kafka-acls.sh --list`, and remove by hand what is no longer here.
set -eu

allow() {
    principal=$1
    shift
    "${KAFKA_ACLS:-kafka-acls.sh}" --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" \\
        --add --allow-principal "User:$principal" "$@"
}

"""


@dataclass(frozen=True, slots=True)
class Allowed:
    """`kind` is topic, group or transactional-id. To read and to write include to describe."""

    principal: str
    operations: tuple[str, ...]
    kind: str
    names: tuple[str, ...]
    prefixed: bool = False

    @property
    def line(self) -> str:
        operations = [f"--operation {operation}" for operation in self.operations]
        names = [f"--{self.kind} {name}" for name in self.names]
        pattern = ["--resource-pattern-type prefixed"] if self.prefixed else []
        return " ".join(["allow", self.principal, *operations, *names, *pattern])


def allowed() -> Iterator[Allowed]:
    for writer in sorted({topic.writer for topic in TOPICS}):
        yield Allowed(writer, ("Write",), "topic", tuple(t.name for t in TOPICS if t.writer == writer))
    for reader in sorted({reader for topic in TOPICS for reader in topic.readers}):
        yield Allowed(reader, ("Read",), "topic", tuple(t.name for t in TOPICS if reader in t.readers))
    # Before it publishes an edition, intake looks whether its numbers are gone in time.
    yield Allowed("intake", ("DescribeConfigs",), "topic", tuple(topic.name for topic in SEALED))
    yield Allowed("verification", ("Read",), "group", (VERIFICATION,))
    yield Allowed("aggregation", ("Read",), "group", (AGGREGATION,))
    yield Allowed("intake", ("Write",), "transactional-id", (OFFICE,))
    yield Allowed("verification", ("Write",), "transactional-id", (TRANSACTIONS,), prefixed=True)
    sent_again = tuple(name for topic in REDRIVEN for name in (topic.name, topic.dead_letters))
    yield Allowed(OPERATORS, ("Write",), "topic", sent_again)
    yield Allowed(OPERATORS, ("Write",), "transactional-id", tuple(transactional_id(t) for t in REDRIVEN))
    made = ("Create", "Describe", "DescribeConfigs", "AlterConfigs")
    yield Allowed(OPERATORS, made, "topic", tuple(topic.name for topic in TOPICS))
    yield Allowed(SCALING, ("Describe",), "group", tuple(CONSUMED))
    yield Allowed(SCALING, ("Describe",), "topic", tuple(topic.name for topic in CONSUMED.values()))


def script() -> str:
    return _HEAD + "".join(f"{each.line}\n" for each in allowed())
