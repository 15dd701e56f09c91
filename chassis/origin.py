"""Where a request comes from: the peer, or what proxies that are trusted say of it.

X-Forwarded-For grows from left to right, and only what a trusted hop appended is worth anything: so it is
read from the right, up to the first hop that nobody vouches for. `Forwarded` and `X-Real-IP` are never read.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode
from starlette.requests import HTTPConnection

MOST_HOPS = 20
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _listed(said: object) -> object:
    return [_network(each) for each in said.replace(",", " ").split()] if isinstance(said, str) else said


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write networks as in 10.0.0.0/8,fd00::/8") from error


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)]
"""For settings: networks (CIDR) with commas between them."""


class Proxies:
    """Those that are trusted, by their networks (CIDR). None: every request comes from its peer."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def address(self, request: HTTPConnection, *, vouched: bool = False) -> Address | None:
        """None for what is no address, such as a Unix socket.

        `vouched`: the caller has proved who it is, and so counts as one more trusted hop.
        """
        peer = request.client.host if request.client else ""
        said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        hops = iter([peer, *said[: -MOST_HOPS - 1 : -1]])
        found: Address | None = None
        for hop in hops:
            address = _read(hop)
            if address is None:
                return found
            found = address
            if any(address in network for network in self._networks):
                continue
            if not vouched:
                return found
            vouched = False
        return found


@lru_cache(maxsize=1024)  # peers are few; a citizen's own address is soon forgotten again
def _read(text: str) -> Address | None:
    """An address as proxies write it: perhaps with a port, an IPv6 one in brackets."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
