"""The portal's one composition root."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI
from starlette.middleware import Middleware

from chassis.http import Files, create_app
from chassis.logs import logger
from chassis.oidc import Provider
from chassis.origin import Proxies
from chassis.overload import Capacity
from chassis.readiness import Readiness
from chassis.tasks import Owned, attempts
from portal import errors, security, walk
from portal.apis.aggregation import Aggregation
from portal.apis.department import DepartmentFigures
from portal.apis.http import Api, Refused, Unavailable
from portal.apis.intake import Intake
from portal.apis.key import IntakeKey
from portal.apis.office import OfficeApi
from portal.apis.verification import Verification
from portal.device import Devices
from portal.draft import Drafts, load_key
from portal.embedding import Elements
from portal.i18n import load
from portal.kept import Boxes
from portal.oidc import Client, SignIn
from portal.pages import (
    browse,
    code,
    department,
    downloads,
    embedding,
    figures,
    kept,
    kiosk,
    office,
    office_editions,
    office_forms,
    office_forms_import,
    office_import,
    office_units,
    outcome,
    rating,
    scales,
    scanned,
    sheets,
    signing_in,
    withdrawal,
)
from portal.pages.context import Context
from portal.pages.signing_in import Door
from portal.posters.codes import Codes, ensure_key
from portal.posters.press import Press
from portal.session import Sessions
from portal.session import load_key as load_session_key
from portal.settings import Settings
from portal.static import Assets
from portal.view import View

log = logger(__name__)
LOOK_SECONDS = 5.0
SHEETS_AT_ONCE = 2
CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


def build(settings: Settings, *, transports: Mapping[str, httpx.AsyncBaseTransport] | None = None) -> FastAPI:
    """The portal. `transports` replaces the network, by name (intake, verification, aggregation,
    identity_provider)."""
    urls = {
        "intake": settings.intake_url,
        "verification": settings.verification_url,
        "aggregation": settings.aggregation_url,
    }

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        languages, built = load(), Assets.load(settings.assets_dir)
        async with AsyncExitStack() as stack:
            apis = {}
            for name, url in urls.items():
                client = httpx.AsyncClient(
                    base_url=str(url), limits=CONNECTIONS, transport=(transports or {}).get(name)
                )
                await stack.enter_async_context(client)
                apis[name] = Api(client, readiness.check(name, required=False))
            try:
                ensure_key(settings.keys_dir)
            except OSError as error:  # a folder that nobody may write to: all but posters works
                log.warning("no key for posters", error=str(error))
            devices = Devices(load_key(settings.keys_dir), secure=settings.secure_cookies)
            app.state.context = Context(
                intake=Intake(apis["intake"], IntakeKey(settings.intake_key_file)),
                verification=Verification(apis["verification"]),
                aggregation=Aggregation(apis["aggregation"]),
                view=View(
                    languages,
                    built,
                    secure_cookies=settings.secure_cookies,
                    devices=devices,
                    kiosk_idle=settings.kiosk_idle,
                    signing_in=settings.oidc_issuer is not None,
                ),
                drafts=Drafts(load_key(settings.keys_dir), secure=settings.secure_cookies),
                devices=devices,
                codes=Codes(settings.keys_dir),
                press=Press(SHEETS_AT_ONCE),
                proxies=Proxies(settings.trusted_proxies),
                assets=built,
                live_url=settings.live_url,
                public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
                secure_cookies=settings.secure_cookies,
                outcome_wait=settings.outcome_wait,
                kiosk_idle=settings.kiosk_idle,
                kiosk_pause=settings.kiosk_pause,
                boxes=Boxes(load_key(settings.keys_dir)),
            )
            if settings.oidc_issuer is not None:
                http = httpx.AsyncClient(transport=(transports or {}).get("identity_provider"))
                await stack.enter_async_context(http)
                check = readiness.check("identity_provider", required=False)
                provider = Provider(settings.oidc_issuer, http, check, local=settings.oidc_local)
                app.state.entrance = _entrance(settings, SignIn(provider, http, _client(settings)), apis)
            for name, api in apis.items():
                owned.start(f"look at {name}", _look(api))
            yield
            await owned.close()

    app = create_app(
        title="Hài Lòng: portal",
        description="Server-rendered pages over the public HTTP APIs.",
        lifespan=lifespan,
        # Pages wait for the APIs; those that send or withdraw a rating wait for what comes of it.
        capacity=Capacity(reads=200, writes=200, waiting=re.compile(f"({walk.Page.SENDING}|/rut-lai)$")),
        headers=security.headers(settings.live_url, https=settings.secure_cookies),
        callers_request_ids=False,
        files=Files(
            re.compile("/office/((forms/)?import(/apply)?|editions(/[^/]+)?)"), office_import.MOST_BYTES
        ),
        openapi_url=None,
    )
    app.user_middleware.append(Middleware(security.Guard))
    app.user_middleware.append(Middleware(kiosk.StaysAtTheDesk))
    errors.install(app)
    walked = (scanned, rating, scales, code, outcome, withdrawal)
    for pages in (browse, kiosk, kept, *walked, downloads, figures):
        app.include_router(pages.router)
    app.include_router(embedding.routes(Elements.load()))
    if settings.oidc_issuer is not None:
        office.install(app)
        for pages in (
            signing_in,
            department,
            sheets,
            office,
            office_import,
            office_units,
            office_editions,
            office_forms,
            office_forms_import,
        ):
            app.include_router(pages.router)
    return app


def _entrance(settings: Settings, sign_in: SignIn, apis: Mapping[str, Api]) -> Door:
    sessions = Sessions(load_session_key(settings.keys_dir), secure=settings.secure_cookies)
    longest = timedelta(seconds=settings.oidc_session)
    figures, office = DepartmentFigures(apis["aggregation"]), OfficeApi(apis["intake"])
    return Door(sign_in, sessions, figures, office, longest)


def _client(settings: Settings) -> Client:
    here = str(settings.public_url).rstrip("/")
    return Client(
        settings.oidc_client_id,
        returns_to=f"{here}{signing_in.RETURN}",
        leaves_to=f"{here}{signing_in.LEAVE}",
        scope=settings.oidc_scope,
        secret_file=settings.oidc_client_secret_file,
        resource=settings.oidc_resource,
    )


async def _look(api: Api) -> None:
    """Keeps the API's check current, also while nobody visits."""
    async for _ in attempts(first=LOOK_SECONDS, most=LOOK_SECONDS):
        try:
            await api.request("GET", "/readyz", timeout=3.0)
        except (Refused, Unavailable):
            continue  # the check shows it
