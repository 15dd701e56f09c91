"""What a check says of the parts that a program needs, whatever state they are in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import typer
from typer.testing import CliRunner

from chassis import key_files
from chassis.checking import command, files, kafka, postgres, sign_in, web
from chassis.checking.findings import Finding, Probe, lines, look
from chassis.checking.kafka import Work
from chassis.kafka import KafkaClient
from chassis.settings import FromEnvironment, environment
from deploy.local.ports import HOST, free_ports


def saying(what: str, ok: bool | None) -> Probe:
    async def find() -> AsyncIterator[Finding]:
        yield Finding(what, ok, "so it is")

    return Probe(what, find, "SOME_SETTING")


def breaking(error: Exception | None) -> Probe:
    """Finds one thing, then breaks off, or hangs."""

    async def find() -> AsyncIterator[Finding]:
        yield Finding("first", True, "there")
        if error is not None:
            raise error
        await asyncio.Event().wait()

    return Probe("part", find, "SOME_URL")


async def test_a_part_that_breaks_off_or_hangs_hides_neither_what_it_said_nor_the_others() -> None:
    probes = [breaking(OSError("no route")), breaking(None), saying("last", None)]
    assert lines(await look(probes, seconds=0.05)) == [
        "ok  first  there",
        "NO  part   OSError: no route; see SOME_URL",
        "ok  first  there",
        "NO  part   no answer within 0.05 s; see SOME_URL",
        "?   last   so it is",
    ]


class Settings(FromEnvironment):
    model_config = environment("SOME_")

    there: bool = True


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    for name, value in environ.items():
        monkeypatch.setenv(f"SOME_{name}", value)
    cli = typer.Typer()
    command.add_to(
        cli,
        Settings,
        lambda settings, processes: [saying(each, settings.there or None) for each in processes],
        program="some",
        processes=("serve", "worker"),
    )
    result = CliRunner().invoke(cli, arguments)
    return result.exit_code, result.output.splitlines()


def test_without_a_name_all_processes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch) == (0, ["ok  serve   so it is", "ok  worker  so it is", "all there"])
    assert run(monkeypatch, "worker") == (0, ["ok  worker  so it is", "all there"])
    assert run(monkeypatch, "waiter") == (2, ["There is no process waiter: serve or worker."])


def test_what_cannot_be_told_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(monkeypatch, "serve", THERE="false")
    assert (code, said) == (0, ["?   serve  so it is", "all there"])


def test_a_variable_that_nothing_reads_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(monkeypatch, "serve", THEER="false")
    assert code == 1
    assert said[0] == "NO  SOME_THEER  there is no such setting; is SOME_THERE meant?"
    assert said[-1] == "1 missing"


def test_help_has_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(monkeypatch, "--help")
    assert code == 0
    assert "Example: some check worker" in " ".join(" ".join(said).split())


async def only(probe: Probe) -> Finding:
    [found] = await look([probe])
    return found


async def test_a_key_has_to_be_there_whole_and_closed_to_others(tmp_path: Path) -> None:
    probe = files.keys(tmp_path, ("*.key",), make="make it", setting="SOME_KEYS_DIR")
    assert await only(probe) == Finding("key *.key", False, f"none in {tmp_path}: make it")
    key = tmp_path / "a.key"
    key_files.create(key)
    assert await only(probe) == Finding("key a.key", True, str(key))
    key.chmod(0o640)
    assert await only(probe) == Finding("key a.key", False, f"open to others (mode 0640): chmod 600 {key}")
    key.write_text("AAAA")
    assert (await only(probe)).text == "cannot be used: a.key (not 32 bytes)"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda path: path.write_text("secret\n"), None),
        (lambda path: path.write_text("\n"), "is empty"),
        (lambda path: path.mkdir(), "cannot be read: IsADirectoryError"),
        (str, "secret: ask for it, or mend SOME_SECRET_FILE"),
    ],
)
async def test_a_secret_s_file_has_to_hold_it(
    tmp_path: Path, prepare: Callable[[Path], object], said: str | None
) -> None:
    path = tmp_path / "secret"
    path.parent.mkdir(exist_ok=True)
    prepare(path)
    if path.is_file():
        path.chmod(0o600)
    found = await only(files.secret(path, "a secret", make="ask for it", setting="SOME_SECRET_FILE"))
    assert found.ok is (said is None)
    assert said is None or said in found.text


async def test_a_folder_may_still_have_to_be_made(tmp_path: Path) -> None:
    assert (await only(files.writable(tmp_path / "a" / "b", "a folder", setting="X"))).ok
    (tmp_path / "file").touch()
    found = await only(files.writable(tmp_path / "file" / "b", "a folder", setting="SOME_DIR"))
    assert found.ok is False
    assert found.text.endswith("cannot be written by this user; see SOME_DIR")


async def test_who_takes_connections_and_never_answers_is_not_waited_for_longer() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        database = f"postgresql://somebody@{HOST}:{port}/figures"
        found = await look(
            [
                kafka.probe(
                    KafkaClient(bootstrap=f"{HOST}:{port}"), Work([]), setting="SOME_KAFKA_BOOTSTRAP"
                ),
                postgres.probe(
                    database, service="some", migrations=Path(), schemas=(), privileges=postgres.READ
                ),
            ],
            seconds=0.5,
        )
    assert [each.text for each in found] == [
        "no answer within 0.5 s; see SOME_KAFKA_BOOTSTRAP",
        "no answer within 0.5 s; see SOME_DATABASE_URL",
    ]


async def test_who_does_not_listen_is_named_with_the_setting() -> None:
    [port] = free_ports(1)
    found = await look(
        [
            web.api("intake", f"http://127.0.0.1:{port}/", "PORTAL_INTAKE_URL", title="Intake"),
            web.connection("SMS gateway", f"http://127.0.0.1:{port}/sms", "SMS_URL"),
            sign_in.provider(f"http://127.0.0.1:{port}", local=True, setting="ISSUER"),
            kafka.probe(KafkaClient(bootstrap=f"{HOST}:{port}"), Work([]), setting="SOME_KAFKA_BOOTSTRAP"),
            postgres.probe(
                f"postgresql://somebody@{HOST}:{port}/figures",
                service="some",
                migrations=Path(),
                schemas=(),
                privileges=postgres.READ,
            ),
        ]
    )
    assert not any(each.ok for each in found)
    assert found[0].text.endswith("(ConnectError): start it, or mend PORTAL_INTAKE_URL")
    assert found[1].text == f"127.0.0.1:{port} takes no connection (ConnectionRefusedError); see SMS_URL"
    assert found[2].text.endswith("as a provider of that name (ConnectError); see ISSUER")
    away = f"{HOST}:{port} does not answer"
    assert found[3].text == f"{away} (KafkaConnectionError): start it, or mend SOME_KAFKA_BOOTSTRAP"
    assert found[4].text == f"{away} (ConnectionRefusedError): start it, or mend SOME_DATABASE_URL"


@pytest.mark.parametrize(
    ("title", "said"),
    [("Intake", "{at} is ready"), ("Another", "{at} is not intake: mend PORTAL_INTAKE_URL")],
)
async def test_another_api_at_the_address_is_not_the_one_that_is_meant(title: str, said: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f'{{"openapi":"3.1.0","info":{{"title":"{title}"}}}}'
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(body.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        at = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        found = await only(web.api("intake", f"{at}/", "PORTAL_INTAKE_URL", title="Intake"))
    assert found == Finding("intake", title == "Intake", said.format(at=at))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            asyncpg.InvalidCatalogNameError('database "figures" does not exist'),
            'database "figures" does not exist: make it, as deploy/security/postgres/some.sql says, or mend',
        ),
        (
            asyncpg.InsufficientPrivilegeError("permission denied for database\nDETAIL:  No CONNECT."),
            "permission denied for database: apply deploy/security/postgres/some.sql, or mend",
        ),
        (
            asyncpg.InvalidPasswordError("password authentication failed"),
            "password authentication failed: mend the role or its password in",
        ),
    ],
)
async def test_a_database_that_lets_nobody_in_is_said_in_one_line_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: asyncpg.PostgresError, said: str
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncpg, "connect", refuse)
    probe = postgres.probe(
        "postgresql://b/figures?password=hidden", service="some", migrations=Path(), schemas=(), privileges=()
    )
    text = (await only(probe)).text
    assert text.startswith(f"{said} SOME_DATABASE_URL")
    assert "hidden" not in text
    assert "\n" not in text
