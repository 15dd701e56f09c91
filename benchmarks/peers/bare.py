"""The same FastAPI endpoint doing nothing but validation: the limit of the framework."""

from typing import Annotated
from uuid import uuid4

import typer
from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse

from benchmarks.peers.serving import serve
from services.intake.api import RatingBody

app = FastAPI()


@app.post("/v1/ratings", status_code=202)
async def rate(body: RatingBody, idempotency_key: Annotated[str, Header()]) -> JSONResponse:
    del body, idempotency_key
    return JSONResponse({"rating_id": str(uuid4()), "status": "pending"}, status_code=202)


def main(port: Annotated[int, typer.Option(help="Of 127.0.0.1.")]) -> None:
    """Validate ratings and forget them. Example: python -m benchmarks.peers.bare --port 9001"""
    serve(app, port)


if __name__ == "__main__":
    typer.run(main)
