"""The three public HTTP APIs in memory, as the portal sees them: same shapes, no Kafka, no database."""

from typing import Any

from fastapi import FastAPI, Request, Response

from tests.unit.portal import fake_aggregation, fake_intake, fake_verification
from tests.unit.portal.fake_data import Json, problem
from tests.unit.portal.fake_state import FakeCity


def build(city: FakeCity) -> FastAPI:
    """One application that answers for all three; their paths do not meet."""
    app = FastAPI()

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        away = {8001: city.intake_down, 8002: city.verification_down, 8003: city.aggregation_down}
        return problem(503, "not_ready") if away.get(request.url.port or 0) else Response("{}")

    @app.middleware("http")
    async def watch(request: Request, call_next: Any) -> Response:
        city.requests.append(f"{request.method} {request.url}")
        path = request.url.path
        down = (
            (city.intake_down and path.startswith(("/v1/directory", "/v1/edition")))
            or (city.intake_down and request.method == "POST" and path.startswith("/v1/ratings"))
            or (city.verification_down and (path.startswith("/v1/challenges") or path.endswith("/outcome")))
            or (city.aggregation_down and path.startswith(("/v1/satisfaction", "/v1/department", "/v1/live")))
        )
        answer: Response = problem(503, "unavailable") if down else await call_next(request)
        return answer

    @app.get("/healthz")
    async def healthz() -> Json:
        return {"status": "ok"}

    for part in (fake_intake, fake_verification, fake_aggregation):
        app.include_router(part.build(city))
    return app
