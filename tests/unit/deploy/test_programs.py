"""Every program says all that is wrong with its settings before it does anything else."""

import pytest
import typer
from typer.testing import CliRunner

from portal.__main__ import app as portal
from services.aggregation.__main__ import cli as aggregation
from services.intake.__main__ import app as intake
from services.verification.__main__ import app as verification

COMMANDS = [
    (intake, "INTAKE", "serve"),
    (intake, "INTAKE", "check"),
    (verification, "VERIFICATION", "serve"),
    (verification, "VERIFICATION", "worker"),
    (verification, "VERIFICATION", "migrate"),
    (verification, "VERIFICATION", "check"),
    (aggregation, "AGGREGATION", "serve"),
    (aggregation, "AGGREGATION", "worker"),
    (aggregation, "AGGREGATION", "migrate"),
    (aggregation, "AGGREGATION", "check"),
    (portal, "PORTAL", "serve"),
    (portal, "PORTAL", "check"),
]


@pytest.mark.parametrize(("program", "prefix", "command"), COMMANDS)
def test_a_start_with_wrong_settings_ends_with_a_line_for_each(
    program: typer.Typer, prefix: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{prefix}_PORT", "eighty")
    monkeypatch.setenv(f"{prefix}_OPERATIONS_PORT", "0")
    monkeypatch.setenv(f"{prefix}_LOG_LEVEL", "chatty")
    result = CliRunner().invoke(program, [command])
    assert result.exit_code == 1
    said = {line.partition(": ")[0] for line in result.output.splitlines()}
    assert said == {f"{prefix}_{name}" for name in ("PORT", "OPERATIONS_PORT", "LOG_LEVEL")}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, {"OIDC_CLIENT_ID", "PUBLIC_URL"}),
        ({"OIDC_ISSUER": "http://id.example", "PORT": "x"}, {"OIDC_ISSUER", "PORT"}),
    ],
)
def test_what_an_issuer_wants_beside_it_is_said_together(
    changes: dict[str, str], said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(f"PORTAL_{name}", value)
    result = CliRunner().invoke(portal, ["serve"])
    lines = {line.partition(": ")[0].removeprefix("PORTAL_") for line in result.output.splitlines()}
    assert (result.exit_code, lines) == (1, said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SMS_GATEWAY": "http"}, {"SMS_HTTP_URL"}),
        ({"SMS_HTTP_BODY": "to=$to"}, {"SMS_HTTP_BODY"}),
        ({"SMS_HTTP_BODY": "$to $text costs $"}, {"SMS_HTTP_BODY"}),
    ],
)
def test_a_gateway_that_could_send_nothing_is_refused_at_the_start(
    changes: dict[str, str], said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(f"VERIFICATION_{name}", value)
    result = CliRunner().invoke(verification, ["worker"])
    lines = {line.partition(": ")[0].removeprefix("VERIFICATION_") for line in result.output.splitlines()}
    assert (result.exit_code, lines) == (1, said)
