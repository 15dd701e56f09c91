"""The element for pages of other sites."""

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from portal.embedding import Elements

HEADERS = {
    # For every page; one that checks the hash has to ask across origins (CORS).
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=31536000, immutable",
}


def routes(elements: Elements) -> APIRouter:
    router = APIRouter()

    @router.get("/embed/{version}/hai-long-rating.js")
    async def element(version: str) -> Response:
        content = elements.by_version.get(version)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="text/javascript; charset=utf-8", headers=HEADERS)

    return router
