"""Paper forms in the office: numbers are issued, two people enter each form, and what they agree on counts.

Everything is decided on the office's log as it stands and written in one transaction with its record, as all
that the office does (ADR 0024); the rating that a form counts as is in that transaction too.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID, uuid4

from contracts.city_time import CITY_TIME, city_day
from contracts.envelope import Message, encode
from contracts.events import (
    DirectoryChange,
    Event,
    FieldChange,
    OfficeActionTaken,
    PaperForm,
    PaperFormEntered,
    PaperFormsIssued,
    RatingSubmitted,
    Vouching,
)
from contracts.topics import OFFICE_ACTIONS, RATING_SUBMISSIONS, key_of
from services.intake.domain import form_numbers, paper, paper_table
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.directory import Directory
from services.intake.domain.identity import identify_form
from services.intake.domain.paper import Content, Form, Standing
from services.intake.domain.table import Row
from services.intake.office import Actor, envelope_of, silent, taking_turns
from services.intake.ports import Advance, FormsView, Ledger

CHANNEL = "paper"
LANGUAGE = "vi"  # a form has both, and does not say which was read
PART = 500
"""Forms of an import in one transaction."""
NOON = time(12)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many of the file count now, and how many are left for another call."""

    counted: int
    left: int


class Paper:
    """One a process. Overtaken, it tries again, `turns` in all. All methods raise NotKept and Overtaken."""

    def __init__(
        self, ledger: Ledger, forms: FormsView, secret: bytes, clock: Callable[[], datetime], *, turns: int
    ) -> None:
        self._ledger = ledger
        self._forms = forms
        self._secret = secret
        self._clock = clock
        self._turns = turns

    async def issue(self, actor: Actor, officer_id: str, count: int) -> PaperFormsIssued:
        """The next `count` numbers, for forms of this officer. Raises Impossible."""
        return await taking_turns(self._turns, partial(self._issue, actor, officer_id, count))

    async def enter(self, actor: Actor, number: str, content: Content) -> Standing:
        """How the form stands once `actor` has entered this. Raises Impossible."""
        return await taking_turns(self._turns, partial(self._enter, actor, number, content))

    async def import_rows(
        self, actor: Actor, rows: Sequence[Row], *, most: int, advance: Advance = silent
    ) -> Imported:
        """Count the first `most` of those that do not count yet. Raises Impossible, and then none counts.

        Broken off, the same call goes on where it stood: a form that counts is passed over.
        """
        counted = 0
        while True:
            part = min(PART, most - counted)
            done, left = await taking_turns(self._turns, partial(self._part, actor, rows, part))
            counted += done
            advance(len(rows) - left, len(rows))
            if not left or not done or counted >= most:
                return Imported(counted, left)

    async def _issue(self, actor: Actor, officer_id: str, count: int) -> PaperFormsIssued:
        async with self._ledger.writing() as writing:
            act = _Act(actor, self._clock(), writing.directory)
            edition_id, first = paper.issued(
                await self._forms.forms_now(), act.directory, officer_id, count, act.day
            )
            run = PaperFormsIssued(
                edition_id=edition_id, officer_id=officer_id, first=first, count=count, issued_at=act.at
            )
            told = {officer_id: span(run)}
            await writing.commit(
                [act.event(run), act.record("forms_issued", f"officer:{officer_id}", "forms_issued", told)],
                silent,
            )
        return run

    async def _enter(self, actor: Actor, number: str, content: Content) -> Standing:
        async with self._ledger.writing() as writing:
            act = _Act(actor, self._clock(), writing.directory)
            form = (await self._forms.forms_now()).form(number)
            if form is None:
                raise Impossible(Flaw("form_unknown", "number"))
            if form.counted is not None and form.counted != content:
                raise Impossible(Flaw("form_counted_otherwise", "number"))
            if form.counted is not None or form.entries.get(actor.subject) == content:
                return form.standing
            flaws = paper.flaws(content, form, act.directory, act.day)
            if flaws:
                raise Impossible(*flaws)
            after = form.with_(actor.subject, content, counted=bool(form.agreeing(actor.subject, content)))
            messages = self._entry(act, number, form, content, counted=after.counted is not None)
            what, told = f"form_{after.standing}", {form.run.officer_id: number}
            record = act.record("form_entered", f"form:{number}", what, told)
            await writing.commit([*messages, record], silent)
        return after.standing

    async def _part(self, actor: Actor, rows: Sequence[Row], most: int) -> tuple[int, int]:
        """How many were counted, and how many are left."""
        async with self._ledger.writing() as writing:
            act = _Act(actor, self._clock(), writing.directory)
            forms = await self._forms.forms_now()
            plan = paper_table.plan(rows, forms, act.directory, act.day)
            if plan.flaws:
                raise Impossible(*plan.flaws)
            part = plan.new[:most]
            messages: list[tuple[str, Message]] = []
            officers = Counter[str]()
            for reading in part:
                form = reading.form
                officers[form.run.officer_id] += 1
                messages += self._entry(act, reading.number, form, reading.content, counted=True)
            if part:
                told = {who: str(number) for who, number in officers.items()}
                record = act.record("forms_imported", "forms", "forms_imported", told)
                await writing.commit([*messages, record], silent)
        return len(part), len(plan.new) - len(part)

    def _entry(
        self, act: "_Act", number: str, form: Form, content: Content, *, counted: bool
    ) -> list[tuple[str, Message]]:
        """What was read, and the rating where it counts with that."""
        entered = PaperFormEntered(
            number=number,
            answer=content.answer,
            reasons=content.reasons_told,
            scale_answers=content.scale_answers_told,
            given_on=content.given_on,
            actor=act.actor.subject,
            counted=counted,
            entered_at=act.at,
        )
        return [act.event(entered), *([self._rating(act, number, form, content)] if counted else ())]

    def _rating(self, act: "_Act", number: str, form: Form, content: Content) -> tuple[str, Message]:
        officer = act.directory.officers[form.run.officer_id]
        unit = act.directory.units[officer.unit_id]
        said = json.dumps(content.fields, sort_keys=True).encode()
        rating_id, submission_id, token = identify_form(self._secret, form.run.edition_id, number, said)
        rating = RatingSubmitted(
            rating_id=rating_id,
            idempotency_token=token,
            edition_id=form.run.edition_id,
            group_id=unit.group_id,
            unit_id=unit.unit_id,
            officer_id=officer.officer_id,
            answer=content.answer,
            reasons=content.reasons_told,
            scale_answers=content.scale_answers_told,
            channel=CHANNEL,
            language=LANGUAGE,
            vouched_by=Vouching.PAPER,
            form=PaperForm(
                number=number,
                entered_by=(*form.agreeing(act.actor.subject, content), act.actor.subject),
            ),
            # Before noon of the day itself: as late as can be.
            submitted_at=min(datetime.combine(content.given_on, NOON, CITY_TIME).astimezone(UTC), act.at),
        )
        return act.event(rating, id_=submission_id)


@dataclass(frozen=True, slots=True)
class _Act:
    """Who does something to forms, when, on which directory. All that it writes has one correlation id."""

    actor: Actor
    now: datetime
    directory: Directory
    id: UUID = field(default_factory=uuid4)

    @property
    def at(self) -> datetime:
        return self.now.astimezone(UTC)

    @property
    def day(self) -> date:
        return city_day(self.now)

    def event(self, event: Event, *, id_: UUID | None = None) -> tuple[str, Message]:
        topic = RATING_SUBMISSIONS if isinstance(event, RatingSubmitted) else OFFICE_ACTIONS
        return topic.name, encode(envelope_of(id_ or uuid4(), event, self.now, self.id), key=key_of(event))

    def record(self, action: str, target: str, what: str, told: Mapping[str, str]) -> tuple[str, Message]:
        """For the trail: which forms of whom, and never what stands on them."""
        taken = OfficeActionTaken(
            action=action,
            target=target,
            actor=self.actor.subject,
            role=self.actor.role,
            via=self.actor.via,
            changes=tuple(
                DirectoryChange(
                    key=f"officer:{who}", change=what, fields=(FieldChange(name="forms", after=forms),)
                )
                for who, forms in told.items()
            ),
            taken_at=self.at,
        )
        return self.event(taken, id_=self.id)


def last_of(run: PaperFormsIssued) -> str:
    return form_numbers.written(run.first + run.count - 1)


def span(run: PaperFormsIssued) -> str:
    """The first and the last number of a run."""
    return f"{form_numbers.written(run.first)} – {last_of(run)}"
