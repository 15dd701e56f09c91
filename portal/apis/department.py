"""Aggregation's full figures, for a person who has signed in. Nothing of them is remembered here."""

from typing import TypeVar

from portal.apis.aggregation import Children, Figures, History, Level, place_path
from portal.apis.http import Api, Unavailable
from portal.apis.intake import Document

D = TypeVar("D", bound=Document)


class Overview(Document):
    scopes: list[Figures]


class DepartmentFigures:
    """Every method raises SignedOut, Refused or Unavailable (see Api.request)."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def overview(self, token: str) -> Overview:
        return await self._read("/v1/department/overview", token, Overview)

    async def figures(self, token: str, level: Level, place: str) -> Figures:
        return await self._read(_path(level, place), token, Figures)

    async def history(self, token: str, level: Level, place: str) -> History:
        return await self._read(_path(level, place) + "/history", token, History)

    async def children(self, token: str, level: Level, place: str) -> Children:
        return await self._read(_path(level, place) + "/children", token, Children)

    async def _read(self, path: str, token: str, model: type[D]) -> D:
        response = await self._api.request("GET", path, token=token)
        try:
            return model.model_validate_json(response.content)
        except ValueError as error:
            raise Unavailable("not the document") from error


def _path(level: Level, place: str) -> str:
    return f"/v1/department/{place_path(level, place)}"
