"""One browser and one running system for all tests of the pages."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser

from deploy.local.ports import free_ports
from tests.e2e import browser as browsers
from tests.e2e.city import Place, places
from tests.support import stack
from tests.support.system import System, a_system


def pytest_sessionstart() -> None:
    """Before the tests are shared out among processes: said once, and nothing starts."""
    try:
        browsers.program()
    except browsers.NoBrowser as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="session")
def embedding_origin() -> str:
    """Where the page of another site is that the APIs let in."""
    [port] = free_ports(1)
    return f"http://localhost:{port}"


@pytest.fixture(scope="session")
async def system(
    browser: Browser,
    kafka: stack.Kafka,
    postgres: str,
    tmp_path_factory: pytest.TempPathFactory,
    embedding_origin: str,
) -> AsyncIterator[System]:
    """After the browser: without one, nothing else need start."""
    with pytest.MonkeyPatch.context() as environment:
        # So that tests of a rating that waits wait less.
        environment.setenv("PORTAL_OUTCOME_WAIT", "2")
        environment.setenv("INTAKE_EMBEDDED_IN", embedding_origin)
        environment.setenv("VERIFICATION_EMBEDDED_IN", embedding_origin)
        folder = tmp_path_factory.mktemp("system")
        async with a_system(folder, kafka.bootstrap, postgres, sign_in=True) as system:
            yield system


@pytest.fixture(scope="session")
def _unused() -> Iterator[Place]:
    return places()


@pytest.fixture
def place(_unused: Iterator[Place]) -> Place:
    """An officer whom nobody has rated yet, in a unit of which the same is true."""
    return next(_unused)


@pytest.fixture
async def visitor(browser: Browser, system: System) -> AsyncIterator[browsers.Visitor]:
    async with browsers.a_visitor(browser, system) as visitor:
        yield visitor
