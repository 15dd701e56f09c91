"""Where a request comes from, whatever it says."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from chassis.origin import Proxies

PROXY, CITIZEN, FORGED = "10.0.0.1", "203.0.113.7", "198.51.100.9"
TRUSTED = Proxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
headers = st.lists(st.text(st.characters(codec="latin-1"), max_size=60), max_size=4)


def request(peer: str | None, *forwarded_for: str, **others: str) -> HTTPConnection:
    said = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded_for]
    said += [(name.replace("_", "-").encode(), value.encode()) for name, value in others.items()]
    return HTTPConnection({"type": "http", "headers": said, "client": peer and (peer, 1)})


@given(headers)
def test_an_untrusted_peer_is_where_it_comes_from_whatever_it_says(said: list[str]) -> None:
    assert TRUSTED.address(request(CITIZEN, *said)) == ip_address(CITIZEN)
    assert Proxies().address(request(PROXY, *said)) == ip_address(PROXY)


@given(headers)
def test_what_stands_left_of_a_trusted_hop_s_word_changes_nothing(said: list[str]) -> None:
    assert TRUSTED.address(request(PROXY, *said, CITIZEN)) == ip_address(CITIZEN)
    assert TRUSTED.address(request(PROXY, ",".join([*said, CITIZEN]))) == ip_address(CITIZEN)
    assert Proxies().address(request(PROXY, *said, CITIZEN), vouched=True) == ip_address(CITIZEN)


@pytest.mark.parametrize(
    ("peer", "said", "vouched", "expected"),
    [
        (PROXY, [f"{FORGED}, {CITIZEN}, 10.9.9.9"], False, CITIZEN),
        (PROXY, [FORGED, CITIZEN], False, CITIZEN),
        (PROXY, [], False, PROXY),
        (PROXY, ["unknown"], False, PROXY),
        (PROXY, [f"{CITIZEN}, nonsense"], False, PROXY),
        (PROXY, [f"{CITIZEN}:4711"], False, CITIZEN),
        (PROXY, ["[2001:db8::7]:443"], False, "2001:db8::7"),
        (PROXY, ["2001:db8::7"], False, "2001:db8::7"),
        ("::ffff:203.0.113.7", [FORGED], False, CITIZEN),
        ("192.0.2.1", [f"{FORGED}, {CITIZEN}"], True, CITIZEN),
        (PROXY, [f"{FORGED}, {CITIZEN}, 192.0.2.1"], True, CITIZEN),
        (PROXY, [f"{CITIZEN}, {FORGED}, 192.0.2.1"], True, FORGED),
        ("192.0.2.1", [], True, "192.0.2.1"),
    ],
)
def test_the_address_is_that_of_the_last_hop_that_nobody_vouches_for(
    peer: str, said: list[str], vouched: bool, expected: str
) -> None:
    assert TRUSTED.address(request(peer, *said), vouched=vouched) == ip_address(expected)


def test_other_headers_are_never_read() -> None:
    others = {"forwarded": f"for={FORGED}", "x_real_ip": FORGED, "true_client_ip": FORGED}
    assert TRUSTED.address(request(PROXY, **others)) == ip_address(PROXY)


def test_without_an_address_there_is_none() -> None:
    assert TRUSTED.address(request(None, CITIZEN)) is None
    assert TRUSTED.address(request("/run/socket", CITIZEN)) is None
