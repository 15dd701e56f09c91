"""How a process is let in to Kafka: what does not fit is refused at the start, and no secret is shown."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.settings import FromEnvironment, environment, read
from tests.support.certificates import Authority

SECRET = "correct horse battery staple"


class Settings(FromEnvironment):
    model_config = environment("SOME_")

    kafka: KafkaClient = KafkaClient()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def test_without_settings_it_speaks_plainly_to_the_loopback_interface() -> None:
    arguments = KafkaClient().arguments("test")
    assert arguments["bootstrap_servers"] == "127.0.0.1:9092"
    assert "security_protocol" not in arguments


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SASL_USERNAME": "a"}, "with SASL_USERNAME set SECURITY_PROTOCOL to SSL or SASL_SSL"),
        ({"TLS_CA_FILE": "ca.pem"}, "with TLS_CA_FILE set SECURITY_PROTOCOL to SSL or SASL_SSL"),
        ({"SECURITY_PROTOCOL": "SSL", "SASL_USERNAME": "a"}, "set SECURITY_PROTOCOL to SASL_SSL"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "set SASL_USERNAME"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "a"}, "set SASL_PASSWORD or SASL_PASSWORD_FILE"),
        (
            {
                "SECURITY_PROTOCOL": "SASL_SSL",
                "SASL_USERNAME": "a",
                "SASL_PASSWORD": SECRET,
                "SASL_PASSWORD_FILE": "p",
            },
            "set SASL_PASSWORD or SASL_PASSWORD_FILE",
        ),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "a", "SASL_PASSWORD_FILE": "/nowhere/p"},
            "SASL_PASSWORD_FILE /nowhere/p cannot be read",
        ),
        (
            {"SECURITY_PROTOCOL": "SSL", "TLS_CA_FILE": "/nowhere/ca"},
            "TLS_CA_FILE /nowhere/ca cannot be used",
        ),
        ({"SECURITY_PROTOCOL": "SSL", "TLS_CERT_FILE": "c"}, "set both TLS_CERT_FILE and TLS_KEY_FILE"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "SOME_KAFKA_SECURITY_PROTOCOL: "),
        (
            {"SASL_USER": "a"},
            "SOME_KAFKA_SASL_USER: there is no such setting; is SOME_KAFKA_SASL_USERNAME meant?",
        ),
    ],
)
def test_what_does_not_fit_ends_the_process_with_a_line_that_says_what_to_set(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"SOME_KAFKA_{name}", value)
    with pytest.raises(SystemExit, match="1"):
        read(Settings)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("SOME_KAFKA_") for line in lines)
    assert [line for line in lines if said in line]
    assert SECRET not in str(lines)


def test_a_password_is_in_no_representation_and_in_no_error(authority: Authority) -> None:
    client = KafkaClient(
        security_protocol="SASL_SSL",
        sasl_username="intake",
        sasl_password=SECRET,
        tls_ca_file=authority.certificate,
    )
    assert client.arguments("test")["sasl_plain_password"] == SECRET
    assert SECRET not in f"{client!r} {client} {Settings(kafka=client)!r} {client.model_dump_json()}"
    with pytest.raises(ValidationError) as error:
        KafkaClient(security_protocol="SSL", sasl_password=SECRET)
    assert SECRET not in str(error.value)


def test_a_password_file_is_read_again_for_each_client(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old\n")
    client = KafkaClient(
        security_protocol="SASL_SSL",
        sasl_username="intake",
        sasl_password_file=file,
        tls_ca_file=authority.certificate,
    )
    assert client.arguments("test")["sasl_plain_password"] == "old"
    file.write_text("new\n")
    assert client.arguments("test")["sasl_plain_password"] == "new"


def test_tls_checks_who_the_broker_is_and_is_never_older_than_1_2(authority: Authority) -> None:
    client = KafkaClient(security_protocol="SSL", tls_ca_file=authority.certificate)
    context = client.arguments("test")["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.minimum_version.name == "TLSv1_2"


def test_fetches_wait_long_only_once_nothing_has_come_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("chassis.kafka.time", SimpleNamespace(monotonic=lambda: now))
    fetcher = SimpleNamespace(_fetch_max_wait_ms=100)
    patience = kafka.Patience(SimpleNamespace(_fetcher=fetcher), busy=100)
    waits = []
    for moment, anything in ((1.0, False), (5.5, False), (6.0, True), (10.0, False), (11.5, False)):
        now = moment
        patience.saw(anything=anything)
        waits.append(fetcher._fetch_max_wait_ms)
    assert waits == [100, 1_000, 100, 100, 1_000]
