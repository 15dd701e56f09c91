"""What deploy/compose.yaml lets its containers do."""

import re
from typing import Any

import pytest
import yaml

from deploy.local.layout import CHECKOUT

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "deploy" / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
DATABASE_ROLES = {
    "verification-migrations": "verification_owner",
    "verification-command": "verification_app",
    "verification-keys": "verification_app",
    "verification": "verification_app",
    "verification-worker": "verification_app",
    "aggregation-migrations": "aggregation_owner",
    "aggregation-command": "aggregation_owner",
    "aggregation": "aggregation_api",
    "aggregation-worker": "aggregation_worker",
}


def networks(name: str) -> set[str]:
    return set(SERVICES[name].get("networks", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_writes_to_its_volumes_alone_and_has_no_rights_to_gain(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "devices", "pid", "ipc"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_a_bound_on_memory(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


def test_root_is_only_who_hands_volumes_to_their_owners() -> None:
    assert [name for name, each in SERVICES.items() if each.get("user", "").startswith("0")] == ["prepare"]
    assert {name: each["cap_add"] for name, each in SERVICES.items() if "cap_add" in each} == {
        "prepare": ["CHOWN", "DAC_OVERRIDE"]
    }
    assert SERVICES["prepare"]["network_mode"] == "none"


def test_the_portal_and_the_apis_are_published_to_this_machine_and_nothing_else_is() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert set(published) == {"portal", "intake", "verification", "aggregation"}
    for [port] in published.values():
        assert port.startswith("127.0.0.1:")


def test_servers_are_reached_by_their_clients_alone() -> None:
    assert {name for name, each in COMPOSE["networks"].items() if each.get("internal")} == {"log", "database"}
    for name in ("kafka", *BROKERS):
        assert networks(name) == {"log"}
    assert networks("postgres") == {"database"}
    assert networks("portal") == {"front"}
    assert {"log", "database"} & networks("aggregation") == {"database"}
    assert networks("intake") == {"front", "log"}


def test_each_process_comes_to_the_database_as_its_own_role() -> None:
    found = {}
    for name, service in SERVICES.items():
        for setting, value in service.get("environment", {}).items():
            if setting.endswith("_DATABASE_URL"):
                role = re.match(r"postgresql://(\w+)@", value)
                assert role is not None
                assert value.endswith(f"&passfile=/keys/{role[1]}.pgpass"), "no password is written here"
                found[name] = role[1]
    assert found == DATABASE_ROLES


def test_three_brokers_have_every_record_three_times_and_wait_for_two() -> None:
    for name in BROKERS:
        settings = SERVICES[name]["environment"]
        factors = {value for each, value in settings.items() if each.endswith("REPLICATION_FACTOR")}
        assert factors == {"3"}
        assert settings["KAFKA_MIN_INSYNC_REPLICAS"] == settings["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"
        assert SERVICES[name]["networks"]["log"]["aliases"] == ["kafka"]


def test_a_start_has_one_broker_or_three() -> None:
    assert SERVICES["kafka"]["profiles"] == ["one-broker"]
    assert {tuple(SERVICES[name]["profiles"]) for name in BROKERS} == {("three-brokers",)}
    commands = {name for name, each in SERVICES.items() if each.get("profiles") == ["commands"]}
    assert commands == {"intake-command", "verification-command", "aggregation-command"}


def test_what_may_have_replicas_has_no_name_or_volume_of_a_single_one() -> None:
    for name in (
        "intake",
        "verification",
        "verification-worker",
        "aggregation",
        "aggregation-worker",
        "portal",
    ):
        assert "container_name" not in SERVICES[name]
        assert "hostname" not in SERVICES[name]
