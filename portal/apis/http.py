"""How the portal calls a public HTTP API: deadlines, short-lived copies by ETag, and two kinds of failure."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from opentelemetry.trace import SpanKind

from chassis import request_ids, traces
from chassis.logs import logger
from chassis.readiness import Check

log = logger(__name__)
TIMEOUT = httpx.Timeout(6.0, connect=2.0, pool=4.0)
FRESH_SECONDS = 10.0
LIMITED_SECONDS = 60
KEPT = 2000


class Unavailable(Exception):
    """The API did not answer in time, or cannot now. What was sent may or may not have arrived."""


class Limited(Unavailable):
    """The API asks to come back in so many seconds: too much was sent. Nothing has arrived."""

    def __init__(self, seconds: int) -> None:
        super().__init__("HTTP 429")
        self.seconds = seconds


class SignedOut(Exception):
    """The person's token is not in force, or not any more."""


@dataclass
class Refused(Exception):
    """The API answered with a problem to act on. `fields` maps a field's name to what is wrong."""

    status: int
    code: str
    detail: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copy:
    """A document as it was at `at` (monotonic seconds); `stale` where the API could not confirm it."""

    document: Any
    etag: str | None
    at: float
    stale: bool = False


class Api:
    """One API. Answers are remembered by address and language, `KEPT` at most."""

    def __init__(self, client: httpx.AsyncClient, check: Check) -> None:
        self._client = client
        self._check = check
        self._copies: OrderedDict[tuple[str, str], Copy] = OrderedDict()

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, fresh: float = 0.0, stale: float = 0.0
    ) -> Copy:
        """The document at `path`: remembered for `fresh` seconds, then asked for again by its ETag.

        While the API is away, a copy up to `stale` seconds old is given instead, marked so.
        Raises Refused, Unavailable.
        """
        key = (path, str(httpx.QueryParams(params or {})))
        known = self._copies.get(key)
        now = time.monotonic()
        if known is not None and now - known.at < fresh:
            return known
        headers = {"If-None-Match": known.etag} if known is not None and known.etag else {}
        try:
            response = await self.request("GET", path, params=params, headers=headers)
        except Unavailable:
            if known is not None and now - known.at < stale:
                return Copy(known.document, known.etag, known.at, stale=True)
            raise
        if response.status_code == 304 and known is not None:
            copy = Copy(known.document, known.etag, now)
        else:
            copy = Copy(_json(response), response.headers.get("etag"), now)
        self._copies[key] = copy
        self._copies.move_to_end(key)
        while len(self._copies) > KEPT:
            self._copies.popitem(last=False)
        return copy

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        token: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpx enforces it
    ) -> httpx.Response:
        """One call, under the request id of the page that it is for. `token` is a person's who has signed in.

        Raises Refused for 4xx, Limited for 429, and Unavailable for 5xx, for everything that is no answer,
        and where the API does not take the portal for what it is: no citizen can mend that. Where it does not
        take the person for what the token says, raises SignedOut.
        """
        request_id = request_ids.current()
        if request_id is not None:
            headers = {**(headers or {}), request_ids.HEADER: request_id}
        if token is not None:
            headers = {**(headers or {}), "Authorization": f"Bearer {token}"}
        limits = TIMEOUT if timeout is None else httpx.Timeout(timeout, connect=2.0, pool=4.0)
        with traces.span(f"{method} {self._check.name}", SpanKind.CLIENT) as span:  # a path may hold ids
            try:
                response = await self._client.request(
                    method,
                    path,
                    params=params,
                    headers={**(headers or {}), **traces.headers()},
                    json=json,
                    content=content,
                    timeout=limits,
                )
            except httpx.HTTPError as error:
                self.down(type(error).__name__)
                raise Unavailable(type(error).__name__) from error
            span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code == 401 and token is not None:
            raise SignedOut
        if response.status_code >= 500 or (token is None and response.status_code in (401, 403)):
            self.down(f"HTTP {response.status_code}")
            raise Unavailable(f"HTTP {response.status_code}")
        if not self._check.ok:
            log.info("API answers", api=self._check.name)
        self._check.up()
        if response.status_code == 429:
            after = response.headers.get("retry-after", "")
            raise Limited(int(after) if after.isdigit() else LIMITED_SECONDS)
        if response.status_code >= 400:
            raise _refused(response)
        return response

    def down(self, reason: str) -> None:
        if self._check.ok:
            log.warning("API does not answer", api=self._check.name, reason=reason)
        self._check.down(reason)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise Unavailable("not JSON") from error


def _refused(response: httpx.Response) -> Refused:
    try:
        body = response.json()
        code = str(body["type"]).rsplit(":", 1)[-1]
        fields = {
            str(e["pointer"]).strip("/").split("/")[0]: str(e["detail"]) for e in body.get("errors") or ()
        }
        return Refused(response.status_code, code, str(body.get("detail", "")), fields)
    except (ValueError, KeyError, TypeError):
        return Refused(response.status_code, "unknown", "")
