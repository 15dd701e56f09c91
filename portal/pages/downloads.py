"""The table behind each chart of a dashboard, as a file."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from portal import breakdowns, tables
from portal.apis.aggregation import Level
from portal.i18n import N_, Language, city_today
from portal.pages import period
from portal.pages.context import context
from portal.pages.place import KINDS, Place, is_joined
from portal.tables import Table

router = APIRouter()
CSV = "text/csv; charset=utf-8"


async def _history(place: Place, language: Language) -> Table:
    return tables.history(language, (await place.history()).stretches)


async def _children(place: Place, language: Language) -> Table:
    return tables.children(language, await place.children())


async def _reasons(place: Place, language: Language) -> Table:
    figures, _ = await place.figures()
    names = {each: language.text(text) for each, text in (await place.words()).reasons.items()}
    of = breakdowns.reasons(figures, names, of_all_days=place.period.of_all_days)
    return tables.breakdown(language, of)


async def _response(place: Place, language: Language) -> Table:
    figures, _ = await place.figures()
    return tables.response(language, figures)


async def _outcomes(place: Place, language: Language) -> Table:
    figures, _ = await place.figures()
    rejections = breakdowns.rejections(figures, of_all_days=place.period.of_all_days)
    if rejections is None or rejections.withheld:
        raise HTTPException(404)
    return tables.outcomes(language, figures, rejections)


def _partition(name: str) -> Callable[[Place, Language], Awaitable[Table]]:
    async def made(place: Place, language: Language) -> Table:
        figures, _ = await place.figures()
        found = breakdowns.partitions(figures, of_all_days=place.period.of_all_days).get(name)
        if found is None:
            raise HTTPException(404)
        return tables.breakdown(language, found)

    return made


TABLES: dict[str, Callable[[Place, Language], Awaitable[Table]]] = {
    "history": _history,
    "children": _children,
    "reasons": _reasons,
    "outcomes": _outcomes,
    "response": _response,
    **{name: _partition(name) for name in ("channels", "assurances", "hours", "weekdays")},
}


@router.get("/ket-qua/{table}.csv")
async def city(request: Request, table: str) -> Response:
    return await _download(request, "city", "", table)


@router.get("/ket-qua/{kind}/{place}/{table}.csv")
async def below(request: Request, kind: str, place: str, table: str) -> Response:
    if kind not in KINDS:
        raise HTTPException(404)
    return await _download(request, KINDS[kind], place, table)


async def _download(request: Request, level: Level, place_id: str, name: str) -> Response:
    """Raises Refused for a place nobody knows, Unavailable."""
    site, today = context(request), city_today()
    asked = period.read({} if level == "officer" else request.query_params, today)
    if name not in TABLES or asked.mistakes:
        raise HTTPException(404)
    joined = is_joined(level, request.query_params)
    place, language = Place(site, level, place_id, asked.period, today, joined), site.view.language(request)
    table = await TABLES[name](place, language)
    scope = (await place.figures())[0].scope
    city_name = language.gettext(N_("Toàn thành phố"))
    about = {
        language.gettext(N_("Nơi")): language.text(scope.name) if scope.name else place_id or city_name,
        language.gettext(N_("Kỳ từ")): asked.period.first,
        language.gettext(N_("Kỳ đến")): asked.period.last,
    }
    days = (day.isoformat() for day in (asked.period.first, asked.period.last) if day)
    file = "-".join(("hai-long", place_id.replace(".", "-") or "city", name, *days))
    headers = {"Content-Disposition": f'attachment; filename="{file}.csv"', "Content-Language": language.code}
    return Response(tables.as_csv(table, about), media_type=CSV, headers=headers)
