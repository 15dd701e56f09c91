"""The ACLs that operators apply are those that the topic catalogue asks for."""

import pytest

from contracts.topics import TOPICS
from deploy.security.kafka_acls import FILE, OPERATORS, allowed, script
from services.aggregation import checks as aggregation
from services.intake import checks as intake
from services.verification import checks as verification

WORK = {"intake": intake.work(), "verification": verification.work(), "aggregation": aggregation.work()}


def test_the_committed_file_is_what_the_catalogue_asks_for_today() -> None:
    assert FILE.read_text() == script(), "stale: make acls"


def test_a_topic_is_written_by_its_writer_and_else_by_operators_alone() -> None:
    for topic in TOPICS:
        writers = {
            each.principal for each in allowed() if "Write" in each.operations and topic.name in each.names
        }
        assert writers - {OPERATORS} == {topic.writer}


def test_nobody_may_do_everything_with_anything() -> None:
    for each in allowed():
        assert "All" not in each.operations
        assert "*" not in each.names
        assert each.kind != "cluster"


@pytest.mark.parametrize("service", WORK)
def test_a_service_checks_for_the_very_rights_that_it_is_given(service: str) -> None:
    work = WORK[service]
    granted = {
        (each.kind, name, operation)
        for each in allowed()
        if each.principal == service
        for name in each.names
        for operation in each.operations
    }
    checked = {("topic", topic.name, operation) for topic, needed in work.topics for operation in needed}
    checked |= {("topic", topic.name, "DescribeConfigs") for topic in work.configs}
    if work.group:
        checked.add(("group", work.group, "Read"))
    if work.transactions:
        checked.add(("transactional-id", work.transactions.removesuffix("0"), "Write"))
    assert checked == granted
