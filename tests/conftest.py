"""Servers that tests of any folder may ask for; nothing starts until one does."""

from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.support import stack


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers-only",
        action="store_true",
        help="Leave out what needs neither the shared broker nor the shared database, and what is marked"
        " any_servers: after a run on the embedded stack, it would run on containers as it did there.",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--servers-only"):
        servers = {"kafka", "postgres_server"}
        apart: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for each in items:
            elsewhere = servers.isdisjoint(getattr(each, "fixturenames", ()))
            apart[elsewhere or each.get_closest_marker("any_servers") is not None].append(each)
        items[:], left_out = apart[False], apart[True]
        config.hook.pytest_deselected(items=left_out)


class _ByServers(LoadFileScheduling):  # type: ignore[misc] # it is untyped
    """A file's tests go to one process; those of `security`, whose servers take a minute to start, all to
    the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder = "tests/integration/security/"
        return folder if file.startswith(folder) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return _ByServers(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_report_header() -> str:
    return f"integration tests run on: {stack.chosen()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a failure of the whole system, what its processes logged last."""
    report = yield
    last_lines = getattr(getattr(item, "funcargs", {}).get("system"), "last_lines", None)
    if report.failed and last_lines is not None:
        report.sections.append(("The processes' logs", last_lines()))
    return report


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stack.Kafka]:
    async with stack.kafka_server(stack.chosen(), tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka: stack.Kafka) -> str:
    """host:port of a broker that has the catalogue's topics."""
    return kafka.bootstrap


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stack.Postgres]:
    async with stack.postgres_server(stack.chosen(), tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(postgres_server: stack.Postgres) -> str:
    """The superuser's URL to the database `postgres`; tests make databases of their own beside it."""
    return postgres_server.url
