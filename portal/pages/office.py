"""The survey office's console: overview and audit trail, for who has signed in and has a role."""

from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from portal.apis.http import Refused, SignedOut
from portal.apis.office import Actions, Me, OfficeApi, Result
from portal.i18n import N_, Language
from portal.pages.context import context
from portal.pages.signing_in import OFFICE, door, ended, entrance
from portal.session import Session
from portal.view import redirect

router = APIRouter(prefix=OFFICE)
LAST = 10
UNFOUND = 404
ACTIONS = {
    "directory_imported": N_("Nhập danh mục"),
    "unit_opened": N_("Mở đơn vị"),
    "unit_renamed": N_("Đổi tên đơn vị"),
    "unit_closed": N_("Đóng đơn vị"),
    "unit_merged": N_("Hợp nhất đơn vị"),
    "unit_reopened": N_("Mở lại đơn vị"),
    "officer_moved": N_("Chuyển công chức"),
    "edition_published": N_("Công bố đợt khảo sát"),
    "edition_closed": N_("Đóng đợt khảo sát"),
    "wave_voided": N_("Loại một loạt đánh giá"),
    "files_published": N_("Công bố tệp (dòng lệnh)"),
    "client_published": N_("Cấp khóa cho ứng dụng"),
    "forms_issued": N_("Cấp số phiếu giấy"),
    "form_entered": N_("Nhập phiếu giấy"),
    "forms_imported": N_("Nhập phiếu giấy từ tệp"),
}
CHANGES = {
    "added": N_("Thêm"),
    "changed": N_("Sửa"),
    "moved": N_("Chuyển"),
    "closed": N_("Đóng"),
    "reopened": N_("Mở lại"),
    "removed": N_("Gỡ"),
    "forms_issued": N_("Cấp số phiếu"),
    "form_entered": N_("Nhập lần một"),
    "form_differs": N_("Nhập khác lần trước"),
    "form_counted": N_("Được tính"),
    "forms_imported": N_("Được tính, từ tệp"),
}
FORMS_DONE = {
    "form_entered": N_("Đã lưu lần nhập này. Phiếu chờ một người khác nhập lần hai."),
    "form_differs": N_("Đã lưu. Lần nhập này khác lần nhập trước, nên phiếu chưa được tính."),
    "form_counted": N_("Hai lần nhập giống nhau: phiếu đã được tính."),
}
ROLES = {
    "survey-office": N_("Phòng khảo sát"),
    "auditor": N_("Kiểm toán"),
    "department": N_("Lãnh đạo đơn vị"),
    "operator": N_("Người vận hành"),
}
NOTHING = "unchanged"


class SignInFirst(Exception):
    """Nobody has signed in, or not any more."""


class NoRole(Exception):
    """Who has signed in has no role here."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of the office for one person."""

    request: Request
    session: Session
    me: Me
    office: OfficeApi

    @property
    def token(self) -> str:
        return self.session.token

    @property
    def language(self) -> Language:
        return context(self.request).view.language(self.request)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        own = {
            "me": self.me,
            "session": self.session,
            "sign_out": door(self.request).sessions.token(self.session),
            "action_names": ACTIONS,
            "change_names": CHANGES,
            "role_names": ROLES,
            "forms_done": FORMS_DONE,
            "done": self.request.query_params.get("done", ""),
        }
        view = context(self.request).view
        return view.page(self.request, template, status=status, personal=True, **{**own, **values})

    def owns(self, token: object) -> None:
        """Raises HTTPException for a form that was not made for this session."""
        if not isinstance(token, str) or not door(self.request).sessions.owns(self.session, token):
            raise HTTPException(403)

    async def act(self, work: Awaitable[Result], action: str, back: str) -> Response:
        """Back to a page that says what was done. Raises Refused."""
        result = await work
        return redirect(f"{back}?done={action if result.action_id else NOTHING}")


async def _desk(request: Request) -> Desk:
    session = door(request).sessions.read(request)
    if session is None:
        raise SignInFirst
    office = door(request).office
    try:
        me = await office.me(session.token)
    except Refused as error:
        raise NoRole from error
    return Desk(request, session, me, office)


AtDesk = Annotated[Desk, Depends(_desk)]


def install(app: FastAPI) -> None:
    """What office pages raise, answered."""

    async def on_sign_in_first(request: Request, _error: Exception) -> Response:
        return redirect(entrance(request.url.path))

    async def on_no_role(request: Request, _error: Exception) -> Response:
        session = door(request).sessions.read(request)
        sign_out = door(request).sessions.token(session) if session else ""
        page = context(request).view.page
        return page(
            request, "office_no_role.html", status=403, personal=True, session=session, sign_out=sign_out
        )

    async def on_signed_out(request: Request, _error: Exception) -> Response:
        return ended(request)

    app.add_exception_handler(SignInFirst, on_sign_in_first)
    app.add_exception_handler(NoRole, on_no_role)
    app.add_exception_handler(SignedOut, on_signed_out)


@router.get("")
async def overview(desk: AtDesk) -> Response:
    """Editions, units and what was done last."""
    units = await desk.office.units(desk.token)
    editions = await desk.office.editions(desk.token)
    last = await desk.office.actions(desk.token, {"limit": str(LAST)})
    return desk.page(
        "office.html",
        editions=editions,
        open_units=[unit for unit in units if unit.open],
        closed_units=[unit for unit in units if not unit.open],
        officers=sum(unit.officer_count for unit in units),
        actions=last.actions,
    )


@router.get("/actions")
async def actions(desk: AtDesk) -> Response:
    """The audit trail, by filter, a page at a time."""
    wanted = _wanted(desk.request.query_params)
    try:
        found = await desk.office.actions(desk.token, wanted)
    except Refused as error:
        if error.status == UNFOUND:
            raise
        return _trail(desk, wanted, Actions(actions=[]), status=422)
    return _trail(desk, wanted, found)


@router.get("/actions.csv")
async def actions_file(desk: AtDesk) -> Response:
    wanted = _wanted(desk.request.query_params)
    return _file(await desk.office.file(desk.token, "actions.csv", wanted), "office-actions.csv")


@router.get("/directory.csv")
async def directory_file(desk: AtDesk) -> Response:
    return _file(await desk.office.file(desk.token, "directory.csv"), "directory.csv")


def _trail(desk: Desk, wanted: Mapping[str, str], found: Actions, *, status: int = 200) -> Response:
    older = None if found.before is None else urlencode({**wanted, "before": str(found.before)})
    return desk.page(
        "office_actions.html",
        status=status,
        wanted=defaultdict(str, wanted),
        query=urlencode({name: value for name, value in wanted.items() if name != "before"}),
        older=older,
        actions=found.actions,
        wrong=status != 200,
    )


def _wanted(query: Mapping[str, str]) -> dict[str, str]:
    names = ("action", "about", "actor", "from", "to", "before")
    return {name: query[name].strip() for name in names if query.get(name, "").strip()}


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
