"""The built style sheet, fonts and scripts: held in memory, compressed beforehand, cached for ever."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request, Response
from starlette.exceptions import HTTPException

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class AssetsMissing(RuntimeError):
    """The assets were not built."""


@dataclass(frozen=True, slots=True)
class Assets:
    """`names` maps a source's name to the built file's; `files` holds every built file."""

    names: dict[str, str]
    files: dict[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "Assets":
        manifest = folder / "manifest.json"
        if not manifest.exists():
            raise AssetsMissing("The portal's assets are not built: run `python -m portal.assets build`.")
        names = json.loads(manifest.read_text())
        return cls(names, {p.name: p.read_bytes() for p in folder.iterdir() if p.name != manifest.name})

    def url(self, name: str) -> str:
        return f"/static/{self.names[name]}"

    def respond(self, request: Request, name: str) -> Response:
        """The file in the best encoding the browser takes; raises 404 for a name that was not built."""
        content = self.files.get(name)
        media_type = MEDIA_TYPES.get(Path(name).suffix)
        if content is None or media_type is None:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        accepted = request.headers.get("accept-encoding", "")
        for encoding, suffix in ENCODINGS:
            if encoding in accepted and name + suffix in self.files:
                headers["Content-Encoding"] = encoding
                content = self.files[name + suffix]
                break
        return Response(content, media_type=media_type, headers=headers)
