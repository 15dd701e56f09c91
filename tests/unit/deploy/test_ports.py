import socket

import pytest

from deploy.local.errors import StackError
from deploy.local.ports import HOST, Ports, free_ports


def test_without_settings_the_ports_are_the_documented_ones() -> None:
    assert dict(Ports.read({}).by_part) == {
        "kafka": 9092,
        "kafka-controller": 9093,
        "postgres": 5433,
        "portal": 8000,
        "intake": 8001,
        "verification": 8002,
        "aggregation": 8003,
        "identity-provider": 8004,
        "portal-operations": 8020,
        "intake-operations": 8021,
        "verification-operations": 8022,
        "aggregation-operations": 8023,
        "verification-worker-operations": 8012,
        "aggregation-worker-operations": 8013,
    }


def test_the_base_moves_every_http_port_and_nothing_else() -> None:
    moved, usual = Ports.read({"HAILONG_PORT_BASE": "9500"}), Ports.read({})
    assert (moved["portal"], moved["aggregation-worker-operations"]) == (9500, 9513)
    assert (moved["kafka"], moved["postgres"]) == (usual["kafka"], usual["postgres"])


@pytest.mark.parametrize("text", ["0", "80", "70000", "-1", "abc", "８000"])
def test_a_value_that_is_no_port_is_named_with_its_setting(text: str) -> None:
    with pytest.raises(StackError, match="HAILONG_KAFKA_PORT="):
        Ports.read({"HAILONG_KAFKA_PORT": text})


def test_a_base_that_leaves_no_room_for_the_last_port_is_refused() -> None:
    with pytest.raises(StackError, match="HAILONG_PORT_BASE=65530"):
        Ports.read({"HAILONG_PORT_BASE": "65530"})


def test_two_parts_on_one_port_are_refused_before_anything_starts() -> None:
    with pytest.raises(StackError, match="8001 is given to both postgres and intake"):
        Ports.read({"HAILONG_POSTGRES_PORT": "8001"})


def test_a_taken_port_is_named_with_the_part_and_the_setting_that_moves_it() -> None:
    kafka, controller = free_ports(2)
    with socket.create_server((HOST, 0)) as other:
        settings = {
            "HAILONG_KAFKA_PORT": str(kafka),
            "HAILONG_KAFKA_CONTROLLER_PORT": str(controller),
            "HAILONG_POSTGRES_PORT": str(other.getsockname()[1]),
        }
        with pytest.raises(
            StackError, match=r"which postgres needs, is taken.*HAILONG_POSTGRES_PORT="
        ) as caught:
            Ports.read(settings).check_free()
    assert "\n" not in str(caught.value)
