from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from chassis.kafka import KafkaClient
from chassis.sign_in import SignIn
from chassis.traces import Traces
from deploy.local.environment import Wiring
from deploy.local.layout import Layout
from deploy.local.ports import Ports
from portal.settings import Settings as PortalSettings
from services.aggregation.settings import Settings as AggregationSettings
from services.intake.settings import Settings as IntakeSettings
from services.verification.settings import Settings as VerificationSettings


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    urls = {name: f"postgresql://{name}@127.0.0.1:15433/{name}" for name in ("verification", "aggregation")}
    ports = Ports.read({"HAILONG_PORT_BASE": "9500", "HAILONG_KAFKA_PORT": "19092"})
    return Wiring(Layout(tmp_path), ports, "127.0.0.1:19092", urls)


@pytest.fixture
def with_sign_in(wiring: Wiring) -> Wiring:
    return replace(wiring, sign_in=True)


def unknown(names: Iterable[str], settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    read = set(settings.model_fields)
    if "kafka" in read:
        read |= {f"kafka_{name}" for name in KafkaClient.model_fields}
    if "traces" in read:
        read |= {f"traces_{name}" for name in Traces.model_fields}
    if "oidc" in read:
        read |= {f"oidc_{name}" for name in SignIn.model_fields}
    return {name for name in names if name.removeprefix(prefix).lower() not in read}


def test_every_variable_is_one_that_its_service_reads(wiring: Wiring) -> None:
    assert unknown(wiring.intake(), IntakeSettings) == set()
    assert unknown(wiring.verification(), VerificationSettings) == set()
    assert unknown(wiring.aggregation(), AggregationSettings) == set()
    assert unknown(wiring.portal(), PortalSettings) == set()


def test_the_local_sign_in_is_of_this_machine_and_only_where_it_is_asked_for(
    wiring: Wiring, with_sign_in: Wiring
) -> None:
    for settings in (wiring.aggregation(), wiring.portal()):
        assert not [name for name in settings if "OIDC" in name]
    assert not {"department", "identity-provider"} & set(wiring.urls())
    told = {**with_sign_in.aggregation(), **with_sign_in.portal()}
    assert unknown(with_sign_in.aggregation(), AggregationSettings) == set()
    assert unknown(with_sign_in.portal(), PortalSettings) == set()
    assert told["AGGREGATION_OIDC_ISSUER"] == told["PORTAL_OIDC_ISSUER"] == "http://127.0.0.1:9504"
    assert told["AGGREGATION_OIDC_AUDIENCE"] == told["PORTAL_OIDC_RESOURCE"] != told["PORTAL_OIDC_CLIENT_ID"]
    assert {"department", "identity-provider"} <= set(with_sign_in.urls())


@pytest.mark.parametrize(
    "settings", [IntakeSettings, VerificationSettings, AggregationSettings, PortalSettings]
)
def test_nothing_listens_beyond_this_machine_unless_told(settings: type[BaseSettings]) -> None:
    hosts = {name: field.default for name, field in settings.model_fields.items() if name.endswith("host")}
    assert hosts == {"host": "127.0.0.1", "operations_host": "127.0.0.1"}


def test_no_service_writes_outside_the_stacks_folder(wiring: Wiring) -> None:
    for settings in (wiring.intake(), wiring.verification(), wiring.portal()):
        for name, value in settings.items():
            assert not name.endswith("_DIR") or Path(value).is_relative_to(wiring.layout.root)


def test_moved_ports_reach_every_service_and_every_address(wiring: Wiring) -> None:
    assert wiring.portal()["PORTAL_INTAKE_URL"] == "http://127.0.0.1:9501"
    assert wiring.intake()["INTAKE_OUTCOME_BASE_URL"] == "http://127.0.0.1:9502"
    assert wiring.verification()["VERIFICATION_WORKER_OPERATIONS_PORT"] == "9512"
    assert wiring.intake()["INTAKE_OPERATIONS_PORT"] == "9521"
    assert wiring.aggregation()["AGGREGATION_KAFKA_BOOTSTRAP"] == "127.0.0.1:19092"
    urls = wiring.urls()
    assert list(urls)[:2] == ["portal", "dashboard"]
    assert urls["aggregation-worker-operations"] == "http://127.0.0.1:9513"
    assert wiring.url_of("intake") == "http://127.0.0.1:9501"
    assert wiring.url_of("aggregation-worker") == urls["aggregation-worker-operations"]
    assert urls["kafka"] == "kafka://127.0.0.1:19092"


def test_addresses_that_are_shown_hold_no_password(wiring: Wiring) -> None:
    assert not any("@" in url for url in wiring.urls().values())
