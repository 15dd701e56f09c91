"""What every answer tells browsers, unless it has told them itself."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = Mapping[str, str]

HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


def for_data(*, https: bool = False, resource_policy: str = "same-origin") -> Headers:
    """Of an API: its answers are no pages, and nobody keeps what is not said to be for keeping.

    `https` where callers come by HTTPS. `resource_policy` says who may embed an answer without asking (CORP).
    """
    return {
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": resource_policy,
        "Cache-Control": "no-store",
        **(HTTPS_ONLY if https else {}),
    }


class OnEveryAnswer:
    """Outermost, so that no refusal goes without."""

    def __init__(self, app: ASGIApp, *, headers: Headers) -> None:
        self._app = app
        self._headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = message["headers"] = list(message.get("headers", ()))
                named = {name.lower() for name, _ in said}
                said += [each for each in self._headers if each[0] not in named]
            await send(message)

        await self._app(scope, receive, completed)
