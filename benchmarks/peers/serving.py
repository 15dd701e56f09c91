"""How the peers that answer HTTP are served: uvicorn with its fast parts, one process, no access log."""

import uvicorn
from fastapi import FastAPI

from deploy.local.ports import HOST


def serve(app: FastAPI, port: int) -> None:
    app.add_api_route("/readyz", _ready)
    uvicorn.run(
        app, host=HOST, port=port, loop="uvloop", http="httptools", ws="none", log_level="warning",
        access_log=False,
    )  # fmt: skip


async def _ready() -> str:
    return "ready"
