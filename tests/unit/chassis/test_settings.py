"""Settings that do not fit: all of it is said at once, for whoever has to mend it, and no secret is shown."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from chassis.kafka import KafkaClient
from chassis.origin import Networks
from chassis.postgres import DatabaseUrl
from chassis.settings import FromEnvironment, Port, Seconds, environment, read, unknown

SECRET = "correct horse battery staple"
URL = f"postgresql://figures:{SECRET}@db.city/figures".replace(" ", "-")


class Settings(FromEnvironment):
    model_config = environment("SOME_")

    port: Port = 8001
    wait: Seconds = 2.5
    pauses: tuple[float, ...] = (30, 120)
    proxies: Networks = ()
    headers: dict[str, SecretStr] = Field({})
    database_url: DatabaseUrl = "postgresql://postgres@127.0.0.1/figures"
    kafka: KafkaClient = KafkaClient()
    name: str = Field("x", min_length=1)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Said":
    return Said(monkeypatch, capsys)


class Said:
    """What `read` says of an environment, line by line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def of(self, **environ: str) -> list[str]:
        for name, value in environ.items():
            self._monkeypatch.setenv(f"SOME_{name}", value)
        with pytest.raises(SystemExit, match="1"):
            read(Settings)
        return self._capsys.readouterr().err.splitlines()


def test_everything_that_is_wrong_is_said_at_once_a_line_for_each_variable(said: Said) -> None:
    lines = said.of(
        PORT="70000",
        WAIT="0",
        PAUSES="[30, soon]",
        PROXIES="10.0.0.1/8",
        HEADERS=SECRET,
        DATABASE_URL=URL.replace("postgresql", "mysql"),
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_TLS_CA_FILE="/nowhere/ca",
        NAME="",
    )
    assert [line.partition(":")[0].removeprefix("SOME_") for line in lines] == [
        "PORT",
        "WAIT",
        "PAUSES",
        "PROXIES",
        "HEADERS",
        "DATABASE_URL",
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD_FILE",
        "NAME",
    ]
    assert lines[0].endswith("less than or equal to 65535; unset, it is 8001")
    assert lines[2].startswith("SOME_PAUSES: is no JSON; unset, it is [30, 120]")
    assert "write networks as in 10.0.0.0/8" in lines[3]
    assert SECRET not in str(lines)
    assert "correct-horse" not in str(lines)


def test_where_within_a_value_something_is_wrong_is_said(said: Said) -> None:
    [line] = said.of(PAUSES='[30, "soon"]')
    assert line.startswith("SOME_PAUSES: at 1: Input should be a valid number")


def test_a_password_that_breaks_its_address_is_not_shown(said: Said) -> None:
    [line] = said.of(DATABASE_URL=f"postgresql://figures:[{SECRET}]@db.city/figures")
    assert line.startswith("SOME_DATABASE_URL: no address of a database; write postgresql://")
    assert SECRET not in line


def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, content in (("DATABASE_URL", URL), ("HEADERS", f'{{"Authorization": "{SECRET}"}}')):
        file = tmp_path / name
        file.write_text(f"{content}\n")
        monkeypatch.setenv(f"SOME_{name}_FILE", str(file))
    settings = read(Settings)
    assert settings.database_url == URL
    assert settings.headers["Authorization"].get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert "correct-horse" not in repr(settings)


def test_files_that_give_no_secret_are_named_together_with_all_else(said: Said, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    lines = said.of(DATABASE_URL_FILE="/nowhere/url", HEADERS_FILE=str(empty), PORT="x")
    assert [line.partition(":")[0] for line in lines] == ["SOME_PORT", "SOME_HEADERS", "SOME_DATABASE_URL"]
    assert f"the file {empty}, named by …_FILE, is empty" in lines[1]
    assert "the file /nowhere/url, named by …_FILE, cannot be read: FileNotFoundError" in lines[2]


def test_a_secret_given_twice_is_refused(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(URL)
    [line] = said.of(DATABASE_URL=URL, DATABASE_URL_FILE=str(file))
    assert line.startswith("SOME_DATABASE_URL: given twice: unset it, or …_FILE")


def test_what_is_no_secret_cannot_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "name"
    file.write_text("of a file")
    monkeypatch.setenv("SOME_NAME_FILE", str(file))
    assert read(Settings).name == "x"


def test_a_variable_that_nothing_reads_is_named_with_the_one_that_may_be_meant() -> None:
    names = ("SOME_PROT", "SOME_NAME_FILE", "SOME_DATABASE_URL_FILE", "SOME_KAFKA_BOOTSTRAP", "OTHER_PROT")
    assert unknown(Settings, names) == {
        "SOME_NAME_FILE": "there is no such setting; unset it",
        "SOME_PROT": "there is no such setting; is SOME_PORT meant?",
    }
