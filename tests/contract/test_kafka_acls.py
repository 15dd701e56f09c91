"""The ACLs that operators apply are those that the topic catalogue asks for."""

from contracts.topics import TOPICS
from deploy.security import kafka_users
from deploy.security.kafka_acls import FILE, OPERATORS, SCALING, allowed, script


def test_the_committed_file_is_what_the_catalogue_asks_for_today() -> None:
    assert FILE.read_text() == script(), "stale: make acls"


def test_so_are_the_committed_users_for_an_operator() -> None:
    assert kafka_users.FILE.read_text() == kafka_users.manifest(), "stale: make acls"


def test_users_that_an_operator_makes_may_do_the_same_as_by_the_script() -> None:
    kinds = {"topic": "topic", "group": "group", "transactionalId": "transactional-id"}
    prefixed = {"literal": False, "prefix": True}
    by_operator = {
        (
            user["metadata"]["name"],
            kinds[acl["resource"]["type"]],
            acl["resource"]["name"],
            prefixed[acl["resource"]["patternType"]],
            operation,
        )
        for user in kafka_users.users()
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    assert by_operator == {
        (each.principal, each.kind, name, each.prefixed, operation)
        for each in allowed()
        for name in each.names
        for operation in each.operations
    }


def test_who_scales_workers_only_looks() -> None:
    assert {
        operation for each in allowed() if each.principal == SCALING for operation in each.operations
    } == {"Describe"}


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
