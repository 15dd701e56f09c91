"""Full figures, for those who may see them: nothing is read before it is known who asks, nor unrecorded."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, Field

from chassis.bearer import audit
from chassis.problems import Bilingual, Problem, ProblemType
from services.aggregation.access import Caller
from services.aggregation.answers import Answers
from services.aggregation.comparisons import Children
from services.aggregation.documents import (
    History,
    NamedScope,
    Period,
    Satisfaction,
    Summary,
)
from services.aggregation.domain import CITY, Scope

NOT_SIGNED_IN = ProblemType(
    "not_signed_in",
    401,
    Bilingual("Cần đăng nhập", "Signing in is needed"),
    Bilingual(
        "Số liệu đầy đủ cần một mã truy cập còn hiệu lực (Authorization: Bearer) của nơi cấp danh tính.",
        "Full figures want an access token in force (Authorization: Bearer) from the identity provider.",
    ),
)
NOT_YOURS = ProblemType(
    "scope_not_yours",
    404,
    Bilingual("Không có nơi này trong phạm vi được xem", "There is no such place among yours"),
    Bilingual(
        "Nơi này không có, hoặc tài khoản không được xem số liệu đầy đủ của nơi này.",
        "There is no such place, or the account may not see its full figures.",
    ),
)
PROVIDER_AWAY = ProblemType(
    "identity_provider_unavailable",
    503,
    Bilingual("Tạm thời chưa kiểm tra được đăng nhập", "Signing in cannot be checked at the moment"),
    Bilingual(
        "Nơi cấp danh tính không trả lời. Vui lòng thử lại sau ít giây; số liệu công khai vẫn xem được.",
        "The identity provider does not answer. Try again in a few seconds; public figures can be read.",
    ),
)


class Overview(BaseModel):
    """What the caller may see in full, each with its figures; the city for who may see all."""

    scopes: list[Summary] = Field(description="Units and groups that are the caller's, with what is below.")


class Places(Protocol):
    async def path(self, scope: Scope) -> Sequence[Scope]:
        """The place and what is above it; empty for one that nobody knows."""


class Department:
    """Answers as `answers`, which leave nothing out, to whoever may see them. Raises Problem."""

    def __init__(self, answers: Answers, places: Places) -> None:
        self._answers = answers
        self._places = places

    async def overview(self, caller: Caller, period: Period) -> Overview:
        found = await self._answers.known(caller.scopes, period)
        _record(caller, "overview", [_said(each.scope) for each in found], period)
        return Overview(scopes=found)

    async def satisfaction(self, caller: Caller, scope: Scope, period: Period) -> Satisfaction:
        await self._admit(caller, "satisfaction", scope, period)
        return await self._answers.satisfaction(scope, period)

    async def history(self, caller: Caller, scope: Scope, period: Period) -> History:
        await self._admit(caller, "history", scope, period)
        return await self._answers.history(scope, period)

    async def children(self, caller: Caller, scope: Scope, period: Period) -> Children:
        await self._admit(caller, "children", scope, period)
        return await self._answers.children(scope, period)

    async def _admit(self, caller: Caller, what: str, scope: Scope, period: Period) -> None:
        path = [CITY] if scope == CITY else await self._places.path(scope)
        if path and caller.may_see(path):
            _record(caller, what, [f"{scope.level}:{scope.id}"], period)
            return
        # A place that nobody knows may be anything that a caller wrote.
        audit.warning(
            "full figures refused",
            subject=caller.subject,
            what=what,
            scope=f"{scope.level}:{scope.id}" if path else "unknown",
        )
        raise Problem(NOT_YOURS)


def _record(caller: Caller, what: str, scopes: Sequence[str], period: Period) -> None:
    days = [day and day.isoformat() for day in (period.first, period.last)]
    audit.info("full figures read", subject=caller.subject, what=what, scopes=scopes, days=days)


def _said(scope: NamedScope) -> str:
    return f"{scope.level}:{scope.id}"
