"""What manifests tell a process is what it understands, and what it is given is there."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from chassis.kafka import KafkaClient
from portal.settings import Settings as PortalSettings
from services.aggregation.settings import Settings as AggregationSettings
from services.intake.settings import Settings as IntakeSettings
from services.verification.settings import Settings as VerificationSettings
from tests.support.kustomize import Manifest, pod_of
from tests.unit.deploy.test_environment import unknown

Of = Callable[[str], dict[str, Manifest]]
SETTINGS: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "verification-api": VerificationSettings,
    "verification-worker": VerificationSettings,
    "verification-migrations": VerificationSettings,
    "aggregation-api": AggregationSettings,
    "aggregation-worker": AggregationSettings,
    "aggregation-migrations": AggregationSettings,
    "portal": PortalSettings,
}
OTHERS = {"PGPASSWORD"}
"""What a client of PostgreSQL reads by itself (libpq's name for it)."""
MADE_BY_OPERATORS = {"hailong-cluster-ca-cert", "verification-db-ca", "aggregation-db-ca"}
MADE_BY_HAND = {
    "intake-keys",
    "verification-challenge-keys",
    "verification-phone-keys",
    "portal-keys",
    "portal-intake-key",
    "sms-gateway",
    "verification-owner",
    "verification-app",
    "aggregation-owner",
    "aggregation-worker",
    "aggregation-api",
}
"""Or by the External Secrets operator."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - who may come, policies say
LOCAL_ADDRESS = re.compile(r"127\.0\.0\.1|localhost")


def test_every_variable_is_one_that_the_process_reads(of: Of, manifests: tuple[Manifest, ...]) -> None:
    for name, settings in SETTINGS.items():
        assert unknown(environment(name, of, manifests).keys() - OTHERS, settings) == set(), name


def test_the_job_that_makes_topics_is_told_how_to_be_let_in(of: Of, manifests: tuple[Manifest, ...]) -> None:
    told = environment("topics", of, manifests)
    assert {f"OPERATOR_KAFKA_{name.upper()}" for name in KafkaClient.model_fields} >= told.keys()


def test_every_process_could_start_with_what_it_is_told(
    of: Of, manifests: tuple[Manifest, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as its settings say. Of files, only the passwords are looked into."""
    (tmp_path / "file").write_text("password")
    monkeypatch.setattr(KafkaClient, "_tls", lambda _: None)
    for name, settings in SETTINGS.items():
        with monkeypatch.context() as patch:
            for variable, value in environment(name, of, manifests).items():
                patch.setenv(variable, re.sub(r"/run/secrets/[\w.-]+/[\w.-]+", str(tmp_path / "file"), value))
            settings()


def test_nothing_is_left_to_a_default_that_is_of_one_machine(of: Of, manifests: tuple[Manifest, ...]) -> None:
    """By default servers are sought, and listened for, on the loopback interface."""
    for name in SETTINGS:
        told = environment(name, of, manifests)
        assert not [variable for variable, value in told.items() if LOCAL_ADDRESS.search(value)], name
        reaches = {each.partition("_")[2] for each in told}
        assert ("DATABASE_URL" in reaches) == ("PGPASSWORD" in told), name
        if "KAFKA_BOOTSTRAP" in reaches:
            assert told[prefixed(told, "KAFKA_SECURITY_PROTOCOL")] == "SASL_SSL", name
        if "DATABASE_URL" in reaches:
            assert "sslmode=verify-full" in told[prefixed(told, "DATABASE_URL")], name


def test_ports_are_those_that_the_process_listens_on(of: Of, manifests: tuple[Manifest, ...]) -> None:
    for name, deployment in of("Deployment").items():
        fields = SETTINGS[name].model_fields
        told = environment(name, of, manifests)
        worker = name.endswith("worker")
        wanted = {"operations": "worker_operations_port" if worker else "operations_port"}
        wanted |= {} if worker else {"http": "port"}
        prefix = SETTINGS[name].model_config["env_prefix"]
        listened = {
            port: int(told.get(prefix + field.upper(), fields[field].default))
            for port, field in wanted.items()
        }
        hosts = {told[f"{prefix}{'OPERATIONS_' if port == 'operations' else ''}HOST"] for port in wanted}
        assert hosts == {EVERYWHERE}, name
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        assert {port["name"]: port["containerPort"] for port in container["ports"]} == listened, name


def test_every_process_is_a_module_that_there_is(manifests: tuple[Manifest, ...]) -> None:
    for name in SETTINGS:
        python, m, module, _ = container_of(name, manifests)["command"]
        assert (python, m) == ("python", "-m")
        assert find_spec(f"{module}.__main__"), module


def test_services_are_where_the_portal_looks_for_them(of: Of, manifests: tuple[Manifest, ...]) -> None:
    told = environment("portal", of, manifests)
    for service in ("intake", "verification", "aggregation"):
        [port] = of("Service")[service]["spec"]["ports"]
        assert told[f"PORTAL_{service.upper()}_URL"] == f"http://{service}:{port['port']}"


def test_addresses_that_browsers_see_are_those_of_the_ingress(
    of: Of, manifests: tuple[Manifest, ...]
) -> None:
    [ingress] = of("Ingress").values()
    leads = {
        rule["http"]["paths"][0]["backend"]["service"]["name"]: f"https://{rule['host']}"
        for rule in ingress["spec"]["rules"]
    }
    assert environment("intake", of, manifests)["INTAKE_OUTCOME_BASE_URL"] == leads["verification"]
    assert environment("portal", of, manifests)["PORTAL_PUBLIC_URL"] == leads["portal"]
    assert environment("portal", of, manifests)["PORTAL_AGGREGATION_PUBLIC_URL"] == leads["aggregation"]


def test_secrets_are_named_and_nowhere_written(of: Of, manifests: tuple[Manifest, ...]) -> None:
    assert not of("Secret")
    pods = [(each["metadata"]["name"], pod) for each in manifests if (pod := pod_of(each)) is not None]
    named = {secret for _, pod in pods for secret in secrets_in(pod)}
    assert named == MADE_BY_OPERATORS | MADE_BY_HAND | (of("KafkaUser").keys() - {"scaling"})


def test_the_external_secrets_are_all_that_nobody_else_makes(overlay: str, of: Of) -> None:
    if overlay == "metropolis":
        assert of("ExternalSecret").keys() == MADE_BY_HAND


def test_what_citizens_reach_holds_no_key_of_phone_numbers(manifests: tuple[Manifest, ...]) -> None:
    holders = {
        each["metadata"]["name"]
        for each in manifests
        if (pod := pod_of(each)) is not None and "verification-phone-keys" in secrets_in(pod)
    }
    assert holders == {"verification-worker"}


def container_of(name: str, manifests: tuple[Manifest, ...]) -> Manifest:
    [pod] = [
        pod for each in manifests if each["metadata"]["name"] == name and (pod := pod_of(each)) is not None
    ]
    container: Manifest = pod["containers"][0]
    return container


def environment(name: str, of: Of, manifests: tuple[Manifest, ...]) -> dict[str, str]:
    """What the process would find; something stands for what is secret."""
    container = container_of(name, manifests)
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= of("ConfigMap")[source["configMapRef"]["name"]]["data"]
    for each in container["env"]:
        found[each["name"]] = each.get("value", "{}")
    return found


def prefixed(told: dict[str, str], name: str) -> str:
    return next(variable for variable in told if variable.partition("_")[2] == name)


def secrets_in(found: Any) -> set[str]:
    """The names of the Secrets that something refers to."""
    if isinstance(found, list):
        return {name for each in found for name in secrets_in(each)}
    if not isinstance(found, dict):
        return set()
    here = {found[key]["name"] for key in ("secret", "secretKeyRef") if "name" in found.get(key, {})}
    here |= {found["secretName"]} if "secretName" in found else set()
    return here.union(*(secrets_in(each) for each in found.values()))
