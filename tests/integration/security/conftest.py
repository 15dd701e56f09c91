from collections.abc import AsyncIterator

import pytest

from tests.support.secured import Secured, secured_servers


@pytest.fixture(scope="session")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with secured_servers(tmp_path_factory.mktemp("secured")) as secured:
        yield secured
