"""Logs: JSON lines that an outage does not drown."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from chassis.logs import configure, logger


@pytest.fixture
def restored() -> Iterator[None]:
    """Afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_a_clients_complaint_is_logged_once_in_a_while_and_ours_every_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("test")
    complaining, others = logging.getLogger("aiokafka.client"), logging.getLogger("others")
    for number in range(5):
        complaining.error("Unable to connect, time %s", number)
        others.error("something %s", number)
    complaining.error("something else")
    logger("ours").warning("waiting for a dependency", dependency="kafka")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines if line["logger"] == "aiokafka.client"] == [
        "Unable to connect, time 0",
        "something else",
    ]
    assert len([line for line in lines if line["logger"] == "others"]) == 5
    assert (lines[-1]["dependency"], lines[-1]["service"]) == ("kafka", "test")


@pytest.mark.usefixtures("restored")
def test_our_lines_heed_levels_and_hold_what_no_utf8_has_and_no_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("test", level="WARNING")
    ours = logger("some.levels")
    ours.info("left out")
    ours.warning("half", surrogate="\ud800", kind=ValueError, error="of 0905 123 456")
    try:
        int("0905 123 456 x")
    except ValueError:
        ours.exception("failed")
    half, failed = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (half["surrogate"], half["error"], half["level"]) == ("\ud800", "of [number]", "warning")
    assert "[number]" in failed["exception"]
    assert "0905 123" not in failed["exception"]


@pytest.mark.usefixtures("restored")
def test_a_line_that_cannot_be_written_breaks_nothing_and_is_not_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", closed)
    configure("test")
    closed.close()
    logger("ours").warning("still running")
    assert json.loads(capsys.readouterr().err)["event"] == "still running"
