"""The ACLs that operators apply are those that the topic catalogue asks for."""

from contracts.topics import TOPICS
from deploy.security.kafka_acls import FILE, OPERATORS, allowed, script


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
