"""Telling a portal over HTTPS, and nobody else: what its name leads to is looked at, and then called."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address

import httpx

from services.verification.domain.webhooks import is_public
from services.verification.ports import NotTaken

SECONDS = 10.0
MOST_ADDRESSES = 3


class HttpWebhooks:
    """`client` keeps no connections: two names at one address are two portals.

    `private`: also within this machine's own networks, and without TLS; for trying things out.
    """

    def __init__(self, client: httpx.AsyncClient, *, private: bool) -> None:
        self._client = client
        self._private = private

    async def tell(self, url: str, headers: Mapping[str, str], content: bytes) -> None:
        """Returns once it is taken (2xx). Raises NotTaken, which tells of the answer its status alone."""
        try:
            async with asyncio.timeout(SECONDS):
                status = await self._post(httpx.URL(url), headers, content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # the deadline among them
            raise NotTaken(type(error).__name__) from None
        if not 200 <= status < 300:
            raise NotTaken(f"status {status}")

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], content: bytes) -> int:
        if url.scheme != "https" and not self._private:
            raise NotTaken("not https")
        *earlier, last = await self._addresses(url)
        for address in earlier:
            with suppress(httpx.ConnectError):
                return await self._call(url, address, headers, content)
        return await self._call(url, last, headers, content)

    async def _call(self, url: httpx.URL, address: str, headers: Mapping[str, str], content: bytes) -> int:
        """By address, so that the name cannot lead elsewhere a moment later; TLS still asks for the name."""
        named = {**headers, "Host": url.netloc.decode()}
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            headers=named,
            content=content,
            extensions={"sni_hostname": url.host},
            timeout=SECONDS,
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        await response.aclose()  # unread: nothing that is in it counts
        return response.status_code

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """At least one. Raises NotTaken where any of them is not public."""
        port = url.port or (443 if url.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
        if not self._private and not all(is_public(ip_address(each)) for each in addresses):
            raise NotTaken("a private address")
        return addresses[:MOST_ADDRESSES]
