"""Answers as the OpenAPI document shows them: of made-up counts, made by what makes the real ones."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sse_starlette import ServerSentEvent

from contracts.events import Scale, ScaleChoice, ScaleKind, ScaleQuestion, Text
from services.aggregation.comparisons import Children, change, ranked
from services.aggregation.documents import Figures, Period, history, named, satisfaction
from services.aggregation.domain import CITY, Level, Measure, Scope
from services.aggregation.edition import TOO_FEW, Published
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, sample_of
from services.aggregation.scale_documents import scales
from services.aggregation.scales import Answered
from services.aggregation.stored import Counts, Mark

UNIT, GROUP = "so-thong-tin-va-truyen-thong", "so-ban-nganh"
FIRST, LAST = date(2017, 11, 20), date(2017, 11, 22)
MARK = Mark(4711, datetime(2017, 11, 22, 9, 30, tzinfo=UTC))


def _answers(satisfied: int, not_satisfied: int) -> Counts:
    return {(Measure.ANSWER, "satisfied"): satisfied, (Measure.ANSWER, "not_satisfied"): not_satisfied}


def _unit(scope_id: str, vi: str, en: str, published: Published) -> Figures:
    group = Text(vi="Sở, Ban, Ngành", en="City departments")
    parent = Scope(Level.GROUP, GROUP)
    scope = Scope(Level.UNIT, scope_id)
    return Figures(scope, True, Text(vi=vi, en=en), parent, group, MARK, MARK.revision, False, published)


COUNTS: Counts = {
    **_answers(388, 24),
    (Measure.REASON, "late"): 15,
    (Measure.REASON, "unclear"): 9,
    (Measure.CHANNEL, "web"): 207,
    (Measure.CHANNEL, "portal"): 205,
    (Measure.HOUR, "08"): 180,
    (Measure.HOUR, "14"): 226,
    (Measure.WEEKDAY, "1"): 230,
    (Measure.WEEKDAY, "3"): 182,
    (Measure.ASSURANCE, "captcha"): 300,
    (Measure.ASSURANCE, "phone_code"): 112,
    (Measure.REJECTION, "challenge_wrong"): 17,
    (Measure.REJECTION, "duplicate"): 6,
}
_NAME = ("Sở Thông tin và Truyền thông", "Department of Information and Communications")
_SHOWN = _unit(UNIT, *_NAME, Published(COUNTS, left_out=frozenset({Measure.HOUR})))
_DAYS = {
    FIRST: Published(_answers(23, 3)),
    date(2017, 11, 21): TOO_FEW,
    LAST: Published(_answers(31, 1)),
    **{FIRST - timedelta(days=n): Published(_answers(17, 6)) for n in (2, 3)},
}
_RESPONSE = FilesHandled(sample=sample_of(USUAL_SAMPLE)).response(
    2017, {UNIT: 1840}, Published(_answers(388, 24))
)
_SIBLINGS = (
    _unit(UNIT, *_NAME, Published(_answers(388, 24))),
    _unit("so-noi-vu", "Sở Nội vụ", "Department of Home Affairs", Published(_answers(160, 40))),
    _unit("so-ngoai-vu", "Sở Ngoại vụ", "Department of Foreign Affairs", TOO_FEW),
)
_ABOVE = Figures(
    Scope(Level.GROUP, GROUP),
    True,
    Text(vi="Sở, Ban, Ngành", en="City departments"),
    CITY,
    Text(vi="Thành phố Đà Nẵng", en="Da Nang City"),
)
_CHOICES = (
    ScaleChoice(id="in_time", text=Text(vi="Đúng hẹn", en="On time"), points=2),
    ScaleChoice(id="late", text=Text(vi="Trễ hẹn", en="Late"), points=0),
)
_SCALE = Scale(
    id="indicators",
    title=Text(vi="Các chỉ số", en="The indicators"),
    kind=ScaleKind.POINTS,
    questions=(
        ScaleQuestion(id="time", text=Text(vi="Thời gian giải quyết", en="Time taken"), choices=_CHOICES),
    ),
)


def _json(document: BaseModel) -> Any:
    return document.model_dump(mode="json", by_alias=True)


SATISFACTION = _json(satisfaction(_SHOWN, Period()).model_copy(update={"response": _RESPONSE}))
HISTORY = _json(history(_SHOWN, _DAYS, FIRST, LAST))
CHANGE = _json(change(_SHOWN, _DAYS, FIRST, LAST))
CHILDREN = _json(Children(scope=named(_ABOVE), children=ranked(_SIBLINGS, Period())))
SCALES = _json(
    scales(_SHOWN, Period("2017"), [Answered("2017", _SCALE, {"time": {"in_time": 371, "late": 26}})])
)
BY_MODEL = {
    "Satisfaction": SATISFACTION,
    "History": HISTORY,
    "Change": CHANGE,
    "Children": CHILDREN,
    "Scales": SCALES,
}
LIVE = (
    ServerSentEvent(
        event="figures",
        id=str(MARK.revision),
        data=satisfaction(_SHOWN, Period()).model_dump_json(by_alias=True, exclude={"response"}),
        sep="\n",
    )
    .encode()
    .decode()
)
