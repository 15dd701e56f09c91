"""What deploy/compose.yaml, and what may be laid over it, let their containers do."""

import re
from typing import Any

import pytest
import yaml

from deploy.compose import certificates
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


SECURED: dict[str, dict[str, Any]] = yaml.safe_load(
    (CHECKOUT / "deploy" / "compose.secured.yaml").read_text("utf-8")
)["services"]
WATCHERS = {"prometheus", "grafana"}
WITHOUT_SERVERS = {"intake-keys", "verification-keys"}  # write files, and ask nobody
PROCESSES = (
    "intake",
    "verification",
    "verification-worker",
    "aggregation",
    "aggregation-worker",
    "portal",
)


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
    assert set(published) == {"portal", "intake", "verification", "aggregation"} | WATCHERS
    for [port] in published.values():
        assert port.startswith("127.0.0.1:")


def test_servers_are_reached_by_their_clients_alone() -> None:
    internal = {name for name, each in COMPOSE["networks"].items() if each.get("internal")}
    assert internal == {"log", "database", "operations"}
    for name in ("kafka", *BROKERS):
        assert networks(name) == {"log"}
    assert networks("postgres") == {"database"}
    assert networks("portal") == {"front", "operations"}
    assert {"log", "database"} & networks("aggregation") == {"database"}
    assert networks("intake") == {"front", "log", "operations"}
    assert not any({"log", "database", "front"} & networks(each) for each in WATCHERS)


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
    for name in PROCESSES:
        assert "container_name" not in SERVICES[name]
        assert "hostname" not in SERVICES[name]


def test_prometheus_finds_every_replica_of_every_process_under_the_name_that_rules_expect() -> None:
    scraped = yaml.safe_load((CHECKOUT / "deploy" / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    jobs = {each["job_name"]: each["dns_sd_configs"] for each in scraped["scrape_configs"]}
    assert jobs.keys() == set(PROCESSES)
    for name, [found] in jobs.items():
        assert (found["names"], found["type"]) == ([name], "A")
        assert str(found["port"]) in SERVICES[name]["healthcheck"]["test"], "its operations"
        assert "operations" in networks(name) & networks("prometheus")


def test_who_watches_is_not_there_unless_asked_for() -> None:
    assert {name for name, each in SERVICES.items() if each.get("profiles") == ["observability"]} == WATCHERS
    for name in WATCHERS:
        assert re.fullmatch(r".+:v?\d+\.\d+\.\d+", SERVICES[name]["image"]), "of a version that stays"


def test_secured_nobody_comes_to_a_server_but_by_tls_and_with_a_name_of_its_own() -> None:
    database = {name: role for name, role in DATABASE_ROLES.items() if name not in WITHOUT_SERVERS}
    found = {}
    for name, service in SECURED.items():
        settings = service.get("environment", {})
        for setting, value in settings.items():
            if setting.endswith("_DATABASE_URL"):
                found[name] = re.sub(r"postgresql://(\w+)@.*", r"\1", value)
                assert "?sslmode=verify-full&sslrootcert=/authority/ca.pem&" in value
                assert value == SERVICES[name]["environment"][setting].replace(
                    "sslmode=disable", "sslmode=verify-full&sslrootcert=/authority/ca.pem"
                )
    assert found == database
    by_kafka = {name for name in SERVICES if "log" in networks(name)} - {"kafka", *BROKERS}
    by_kafka -= {*WITHOUT_SERVERS, "verification-migrations", "aggregation-migrations"}
    principals = {}
    for name in by_kafka:
        settings = SECURED[name]["environment"]
        [protocol] = [value for each, value in settings.items() if each.endswith("_SECURITY_PROTOCOL")]
        [principals[name]] = [value for each, value in settings.items() if each.endswith("_SASL_USERNAME")]
        assert protocol == "SASL_SSL"
        mounted = set(SECURED[name]["volumes"])
        assert {"authority:/authority:ro", f"kafka-{principals[name]}:/kafka:ro"} <= mounted
    assert principals.pop("topics") == "operators"
    assert all(name.startswith((of, "directory", "portal-client")) for name, of in principals.items())


def test_secured_brokers_take_nobody_without_a_name() -> None:
    for name in ("kafka", *BROKERS):
        settings = SERVICES[name]["environment"] | SECURED[name]["environment"]
        protocols = settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
        assert protocols == "CLIENTS:SASL_SSL,BROKER:SSL,CONTROLLER:SSL"
        for listener in ("BROKER", "CONTROLLER"):
            assert settings[f"KAFKA_LISTENER_NAME_{listener}_SSL_CLIENT_AUTH"] == "required"
        assert settings["KAFKA_INTER_BROKER_LISTENER_NAME"] == "BROKER"
        assert settings["KAFKA_ADVERTISED_LISTENERS"] == f"CLIENTS://{name}:9092,BROKER://{name}:9094"
        assert settings["KAFKA_AUTHORIZER_CLASS_NAME"].endswith("StandardAuthorizer")
        assert "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND" not in settings


def test_secured_root_is_only_who_hands_volumes_to_their_owners() -> None:
    added = {name: each for name, each in SECURED.items() if name not in SERVICES}
    assert added.keys() == {"certificates", "kafka-rights"}
    for service in added.values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
    root = [name for name, each in SECURED.items() if each.get("user", "").startswith("0")]
    assert root == ["certificates"]
    assert added["certificates"]["network_mode"] == "none"
    assert added["certificates"]["cap_add"] == ["CHOWN", "DAC_OVERRIDE"]
    assert set(certificates.KAFKA_HOSTS) == {"kafka", *BROKERS}
