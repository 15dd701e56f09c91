"""Turn a template and its values into a page in the visitor's language."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import URL

from portal import cookies
from portal.device import Devices
from portal.i18n import NAMES, Language
from portal.static import Assets

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "hl_lang"
YEAR_SECONDS = 365 * 24 * 3600
STEPS = 6


@dataclass(frozen=True, slots=True)
class Help:
    """Where a citizen gets help; shown on every page."""

    phone: str = "(0236) 1022"
    dial: str = "+842361022"
    mail: str = "gopy@danang.gov.vn"


class View:
    """Renders pages; one environment per language, since texts are bound when a template is compiled."""

    def __init__(
        self,
        languages: Mapping[str, Language],
        assets: Assets,
        *,
        secure_cookies: bool,
        devices: Devices,
        kiosk_idle: float,
        signing_in: bool = False,
    ) -> None:
        self._devices = devices
        self.languages = languages
        self._secure = secure_cookies
        self._cookie = cookies.named(LANGUAGE_COOKIE, for_all_paths=True, secure=secure_cookies)
        self._environments = {code: _environment(lang, assets) for code, lang in languages.items()}
        for each in self._environments.values():
            each.globals |= {"signing_in": signing_in, "kiosk_idle": kiosk_idle}

    def language(self, request: Request, *, remembered: bool = True) -> Language:
        """By `?lang=`, else by the cookie, else Vietnamese."""
        cookie = request.cookies.get(self._cookie) if remembered else None
        for asked in (request.query_params.get("lang"), cookie):
            if asked is not None and asked in self.languages:
                return self.languages[asked]
        return self.languages["vi"]

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        personal: bool = False,
        fresh: bool = False,
        **values: Any,
    ) -> Response:
        """The page. A `personal` one is kept nowhere, and not compressed: it holds a secret beside input.

        Browsers keep the others and ask each time whether they have changed. A `fresh` one forgets which
        language was chosen before.
        """
        language = self.language(request, remembered=not fresh)
        other_url = _other_url(request, language) if personal or status < 400 else f"/?lang={language.other}"
        html = (
            self._environments[language.code]
            .get_template(template)
            .render(request=request, other_url=other_url, kiosk=self._devices.read(request), **values)
        )
        response: Response = HTMLResponse(html, status_code=status)
        response.headers["Content-Language"] = language.code
        response.headers["Vary"] = "Cookie, Accept-Encoding"
        response.headers["Cache-Control"] = "no-store"
        if request.query_params.get("lang") == language.code:
            self._remember(response, language)
        elif fresh:
            response.delete_cookie(self._cookie, secure=self._secure, httponly=True)
        elif not personal and status == 200:
            etag = f'W/"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
            response.headers["Cache-Control"], response.headers["ETag"] = "no-cache", etag
            if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
                kept = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
                return Response(status_code=304, headers=kept)
        if not personal and "gzip" in request.headers.get("accept-encoding", ""):
            response.body = gzip.compress(response.body, 6)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.body))
        return response

    def _remember(self, response: Response, language: Language) -> None:
        response.set_cookie(
            self._cookie,
            language.code,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )


def redirect(url: str) -> Response:
    """See other, after a post."""
    return RedirectResponse(url, status_code=303)


def _other_url(request: Request, language: Language) -> str:
    """This page in the other language. A page that came from a post is reached again by its own address."""
    url = URL(scope=request.scope).include_query_params(lang=language.other)
    return f"{url.path}?{url.query}"


def _environment(language: Language, assets: Assets) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    vars(environment)["install_gettext_callables"](language.gettext, language.ngettext, newstyle=True)
    environment.globals.update(
        asset=assets.url, language=language, other_name=NAMES[language.other], help=Help(), steps=STEPS
    )
    environment.filters.update(
        text=language.text,
        number=language.number,
        percent=language.percent,
        date=language.date,
        day_month=language.day_month,
        month=language.month,
        points=language.points,
        time=language.time,
        say=language.gettext,
    )
    return environment
