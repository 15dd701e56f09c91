"""Requests that no client sends in good faith, and how each must end."""

HEAD_BYTES = 16 * 1024
"""What an address and its headers may have, said here once more: the attack shall not grow with the limit."""

HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: hidden\r\n\r\n"
"""Inside another request: whoever answers it has been talked into two requests where a proxy saw one."""


def _post(*headers: bytes, body: bytes = b"0\r\n\r\n" + HIDDEN) -> bytes:
    return b"\r\n".join((b"POST /nowhere HTTP/1.1", b"Host: t", *headers, b"", body))


def _get(*headers: bytes, target: bytes = b"/healthz") -> bytes:
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", b"Host: t", *headers, b"", b""))


SMUGGLED: dict[str, bytes] = {
    "length and chunks": _post(b"Content-Length: 6", b"Transfer-Encoding: chunked"),
    "chunks and length": _post(b"Transfer-Encoding: chunked", b"Content-Length: 6"),
    "two lengths": _post(b"Content-Length: 0", b"Content-Length: 44"),
    "a list of lengths": _post(b"Content-Length: 0, 44"),
    "a length with a sign": _post(b"Content-Length: +0"),
    "a negative length": _post(b"Content-Length: -1"),
    "a length in hexadecimal": _post(b"Content-Length: 0x2c"),
    "an unknown coding": _post(b"Transfer-Encoding: xchunked"),
    "chunks not last": _post(b"Transfer-Encoding: chunked, identity"),
    "a space before the colon": _post(b"Transfer-Encoding : chunked"),
    "a folded header": _post(b"Transfer-Encoding:\r\n chunked", b"Content-Length: 5"),
    "a chunk without a size": _post(b"Transfer-Encoding: chunked", body=b"x\r\n" + HIDDEN),
    "lines ended by LF": HIDDEN.replace(b"\r\n", b"\n"),
    "CR within a header": _get(b"X: a\rTransfer-Encoding: chunked"),
    "NUL in a header": _get(b"X: a\0b"),
    "a header without a colon": _get(b"Transfer-Encoding chunked"),
    "an unknown method": _get().replace(b"GET", b"HAILONG"),
    "CONNECT": _get(target=b"t:443").replace(b"GET", b"CONNECT"),
    "HTTP/2 unasked": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": _get().replace(b"HTTP/1.1", b"HTTP/3.7"),
}
"""Refused with 400, once, and the connection closed."""

OVERSIZED: dict[str, bytes] = {
    "a long header": _get(b"X: " + b"a" * HEAD_BYTES),
    "many headers": _get(*(b"X-%d: a" % number for number in range(HEAD_BYTES // 8))),
    "a long address": _get(target=b"/healthz?" + b"a" * HEAD_BYTES),
    "a large cookie": _get(b"Cookie: hl_draft=" + b"a" * HEAD_BYTES),
    "a header that never ends": b"GET /healthz HTTP/1.1\r\nHost: t\r\nX: " + b"a" * (4 * HEAD_BYTES),
    "a name that never ends": b"GET /healthz HTTP/1.1\r\nHost: t\r\n" + b"a" * (4 * HEAD_BYTES),
    "an address that never ends": b"GET /" + b"a" * (4 * HEAD_BYTES),
}
"""Refused with 431 as soon as it is too much."""

TRICKS: tuple[str, ...] = (
    "//metrics",
    "/./metrics",
    "/v1/../metrics",
    "/v1/..%2fmetrics",
    "/%2e%2e/metrics",
    "/..%5cmetrics",
    "/%6d%65trics",
    "/metrics/",
    "/metrics;x",
    "/metrics%00",
    "/metrics%20",
    "/METRICS",
    "/healthz/../metrics",
    "/healthz%2f..%2fmetrics",
    "/healthz;/metrics",
    "/healthz//",
    "/healthz/",
    "/static/..%2fmanifest.json",
    "/static/%2e%2e/settings.py",
    "/static/manifest.json",
    "/static//etc/passwd",
    "http://127.0.0.1/metrics",
    "/docs",
    "/docs/oauth2-redirect",
    "/redoc",
    "/metrics",
    "/debug",
    "/admin",
    "/.env",
    "/.git/config",
    "/server-status",
    "/actuator/env",
)
"""Addresses that a public port has nothing at, however they are written: 404, or 400."""
