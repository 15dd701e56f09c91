"""Every route of every process has been thought about, and the attack sees what it should."""

from pathlib import Path

import pytest

from attacks.routes import HEADERS, Call, applications, calls, judged, unknown
from attacks.surface import NUMBER, OPERATIONS, PUBLIC
from attacks.wire import Answer


def test_no_route_is_unknown_and_none_that_is_known_is_gone(tmp_path: Path) -> None:
    assert unknown(applications(tmp_path)) == []


def test_a_new_route_and_one_that_is_gone_are_named(tmp_path: Path) -> None:
    apps = applications(tmp_path)
    apps["intake"].get("/v1/secrets")(lambda: None)
    apps["portal"].router.routes = [r for r in apps["portal"].routes if getattr(r, "path", "") != "/readyz"]
    assert unknown(apps) == [
        "portal: /readyz is not there any more",
        "intake: nobody has thought about who may call /v1/secrets",
    ]


def test_all_that_is_known_is_called(tmp_path: Path) -> None:
    urls = dict.fromkeys(
        (*PUBLIC, *(f"{name}-operations" for name in applications(tmp_path))), "http://127.0.0.1:1"
    )
    called = {(call.process, call.what) for call in calls(urls)}
    for name in urls:
        assert {(name, f"TRACE {path}") for path in PUBLIC.get(name, OPERATIONS)} <= called


RIGHT = dict.fromkeys(HEADERS, "x")


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (Answer(404, RIGHT, b"{}", 1), []),
        (Answer(200, RIGHT, b"{}", 1), ["answered 200, not 404"]),
        (Answer(404, RIGHT, b"{}", 2), ["2 answers"]),
        (Answer(404, {}, b"{}", 1), [f"without {', '.join(HEADERS)}"]),
        (Answer(404, RIGHT | {"server": "x"}, b"{}", 1), ["says what it runs on"]),
        (Answer(404, RIGHT, b"# HELP a", 1), ["says # HELP"]),
        (Answer(404, RIGHT, NUMBER.encode(), 1), [f"says {NUMBER}", f"says {NUMBER[1:]}"]),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(answer: Answer, wrong: list[str]) -> None:
    call = Call("intake", "anonymous", "GET /metrics", 1, lambda: None, (404,))
    assert [
        finding.removeprefix("intake, anonymous: GET /metrics: ") for finding in judged(call, answer)
    ] == wrong
