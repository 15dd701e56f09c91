"""Publishing and closing editions: what an edition has to be, and what may change once it is open."""

import base64
import binascii
from collections.abc import Iterator
from datetime import date, timedelta

from contracts.events import EditionPublished, SealingKey
from services.intake.domain import instruments
from services.intake.domain.changes import Change, Flaw, Impossible, Kind, changed
from services.intake.domain.directory import Directory

KEY_BYTES = 32


def published(directory: Directory, edition: EditionPublished, today: date) -> list[Change]:
    """A new edition, or another state of one that is there: its instrument's version goes up by itself.

    Raises Impossible with all that is wrong.
    """
    present = directory.editions.get(edition.edition_id)
    wrong = [*_flaws(edition), *(() if present is None else _changes_too_much(present, edition, today))]
    if wrong:
        raise Impossible(*wrong)
    version = 1 if present is None else present.instrument.version
    instrument = edition.instrument.model_copy(update={"version": version})
    if present is not None and instrument != present.instrument:
        instrument = instrument.model_copy(update={"version": version + 1})
    return changed(present, edition.model_copy(update={"instrument": instrument}))


def closed(directory: Directory, edition_id: str, last_day: date) -> list[Change]:
    """`last_day` is the last on which ratings are taken. Raises Impossible."""
    edition = directory.editions.get(edition_id)
    if edition is None:
        raise Impossible(Flaw("edition_unknown", "edition_id"))
    if last_day < edition.opens_on:
        raise Impossible(Flaw("closes_before_it_opens", "closes_on"))
    return changed(edition, edition.model_copy(update={"closes_on": last_day}), Kind.CLOSED)


def closing_day(edition: EditionPublished, today: date) -> date:
    """The last day of an edition that is closed at once: yesterday, unless it opened today."""
    return max(edition.opens_on, today - timedelta(days=1))


def key_flaw(edition_id: str, key: SealingKey) -> Flaw | None:
    """An edition's key is its own: another's numbers would be readable, or lost, with it."""
    try:
        public = base64.b64decode(key.public_key, validate=True)
    except binascii.Error:
        public = b""
    if len(public) != KEY_BYTES:
        return Flaw("sealing_key_invalid", "sealing_key")
    if not key.key_id.startswith(f"{edition_id}-"):
        return Flaw("sealing_key_of_another", "sealing_key", values={"key": key.key_id})
    return None


def _flaws(edition: EditionPublished) -> Iterator[Flaw]:
    if edition.closes_on < edition.opens_on:
        yield Flaw("closes_before_it_opens", "closes_on")
    yield from instruments.flaws(edition.instrument)
    flaw = key_flaw(edition.edition_id, edition.sealing_key)
    if flaw is not None:
        yield flaw


def _changes_too_much(present: EditionPublished, edition: EditionPublished, today: date) -> Iterator[Flaw]:
    """Once ratings may be there, what they were asked stays: texts may be mended, choices not exchanged."""
    if today < present.opens_on:
        return
    if edition.opens_on != present.opens_on:
        yield Flaw("opened_already", "opens_on")
    if [a.id for a in edition.instrument.answers] != [a.id for a in present.instrument.answers]:
        yield Flaw("answers_fixed", "answers")
    gone = {r.id for r in present.instrument.reasons} - {r.id for r in edition.instrument.reasons}
    if gone:
        yield Flaw("reasons_fixed", "reasons", values={"id": ", ".join(sorted(gone))})
    changed_scales = instruments.changed_scales(present.instrument, edition.instrument)
    if changed_scales:
        yield Flaw("scales_fixed", "scales", values={"id": ", ".join(changed_scales)})
