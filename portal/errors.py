"""Error pages: they say what to do and nothing about the inside."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.logs import logger, where_it_failed
from chassis.problems import Problem
from portal.apis.http import Limited, Refused, SignedOut, Unavailable
from portal.pages.context import NoEdition, context
from portal.pages.kiosk import shut_out

log = logger(__name__)
RETRY_SECONDS = "15"


def page(request: Request, status: int, template: str = "error.html") -> Response:
    site = context(request)
    response = site.view.page(request, template, status=status, code=status)
    if status == 503:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


async def on_unavailable(request: Request, error: Exception) -> Response:
    if isinstance(error, Limited):
        response = page(request, 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    log.warning("an API is away", error=str(error))
    return page(request, 503)


async def on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class alone
    return page(request, 404 if error.status in (404, 410, 422) else 500)


async def on_signed_out(request: Request, _error: Exception) -> Response:
    """Where people sign in, pages say so themselves: what is left is a screen at a desk."""
    return shut_out(request)


async def on_no_edition(request: Request, _error: Exception) -> Response:
    return page(request, 200, "no_edition.html")


async def on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    return page(request, error.status_code if error.status_code in (403, 404, 405, 413) else 404)


async def on_invalid(request: Request, _error: Exception) -> Response:
    return page(request, 422)


async def on_too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
    return page(request, error.kind.status)


class ErrorPages:
    """Answers what nobody expected with a page, inside the request log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            # Its message may quote what a citizen typed.
            log.error("request failed", error=type(error).__name__, where=where_it_failed(error))  # noqa: TRY400
            await page(Request(scope), 500)(scope, receive, send)


def install(app: FastAPI) -> None:
    app.add_exception_handler(Unavailable, on_unavailable)
    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(SignedOut, on_signed_out)
    app.add_exception_handler(NoEdition, on_no_edition)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Problem, on_too_large)
    app.user_middleware.append(Middleware(ErrorPages))  # innermost
