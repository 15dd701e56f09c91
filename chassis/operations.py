"""What operators see of a process: which dependency is away and why, and its metrics.

It has a listener of its own (`chassis.http.serve`), so that what a public port shows to the world never grows
by it, and so that it answers while the public side has more to do than it can.
"""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from chassis.readiness import Readiness

READY = Gauge(
    "readiness_check_up", "1 while what the process waits for is there, else 0.", ["check", "required"]
)
PROBES = ("/healthz", "/readyz")
"""On a public port too, without any detail: for load balancers, and for the portal."""


def install_probes(app: FastAPI, readiness: Readiness, *, detailed: bool) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        shown: dict[str, object] = {"status": "ready" if readiness.ready else "not ready"}
        if detailed:
            shown["checks"] = {c.name: {"ok": c.ok, "detail": c.detail} for c in readiness.checks.values()}
        return JSONResponse(shown, status_code=200 if readiness.ready else 503)


def install(app: FastAPI, readiness: Readiness) -> None:
    """Give an application that only operators reach what they look at."""
    install_probes(app, readiness, detailed=True)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        for each in readiness.checks.values():
            READY.labels(each.name, str(each.required).lower()).set(each.ok)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
