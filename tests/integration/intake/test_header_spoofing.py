"""Nobody dodges a limit, or uses up another's, by what their request says of where it comes from."""

from pathlib import Path

import pytest

from attacks import header_spoofing

pytestmark = pytest.mark.any_servers


async def test_forged_headers_neither_dodge_a_limit_nor_frame_an_address(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    results = await header_spoofing.run(tmp_path, kafka_bootstrap)
    assert [row for row in results.rows if not row.held] == []
    assert len(results.rows) == header_spoofing.PARTS
