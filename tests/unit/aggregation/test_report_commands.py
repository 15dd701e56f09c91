"""`report` and `open-data` on the command line: what they say, and that they leave no half a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.aggregation import report_commands
from services.aggregation.settings import Settings

NOBODY = Settings(database_url="postgresql://postgres@127.0.0.1:1/none")


@pytest.fixture
def cli() -> typer.Typer:
    made = typer.Typer()
    report_commands.add_to(made, lambda: NOBODY)
    return made


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--scope", "street:x"], "Name 1 to 20 scopes, as city, group:ID, unit:ID or officer:ID."),
        (["report", "--from", "23.11.2017"], "Write a day as 2017-11-23."),
        (["report", "--edition", "%"], "This is not an id."),
        (["open-data", "--from", "2017-11-02", "--to", "2017-11-01"], "The last day must not be before"),
        (["report"], "PostgreSQL does not answer"),
        (["open-data"], "PostgreSQL does not answer"),
    ],
)
def test_what_a_caller_can_mend_is_said_in_one_line(
    cli: typer.Typer, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_files_handled_that_cannot_be_read_are_said_in_one_line(tmp_path: Path) -> None:
    made, path = typer.Typer(), tmp_path / "files.csv"
    report_commands.add_to(made, lambda: NOBODY.model_copy(update={"files_handled_file": path}))
    result = CliRunner().invoke(made, ["report", "--out", str(tmp_path / "out")])
    said = f"AGGREGATION_FILES_HANDLED_FILE: cannot read {path}: No such file or directory\n"
    assert (result.exit_code, result.stderr) == (2, said)


@pytest.mark.parametrize("command", ["report", "open-data"])
def test_help_has_an_example(cli: typer.Typer, command: str) -> None:
    shown = " ".join(CliRunner().invoke(cli, [command, "--help"]).stdout.split())
    assert "Example: AGGREGATION_DATABASE_URL=postgresql://localhost/figures python" in shown


def test_a_file_that_cannot_be_written_whole_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(b"before")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        report_commands._write(file, pieces())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("report.csv", b"before")]
    assert report_commands._write(file, [b"a", b"bc"]) == 3
    assert file.read_bytes() == b"abc"
