"""The portal's key for intake's API, in a file; read at each use, so that a new key needs no restart."""

from pathlib import Path

from chassis.logs import logger
from portal.apis.http import Unavailable

log = logger(__name__)


class IntakeKey:
    """Without a file, intake takes the portal for a citizen's own browser, and all citizens for one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    @property
    def headers(self) -> dict[str, str]:
        """Raises Unavailable."""
        if self._file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self._file.read_text().strip()}"}
        except OSError as error:
            log.exception("the key for intake cannot be read", file=self._file.name)
            raise Unavailable("no key") from error
