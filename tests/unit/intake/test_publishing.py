from pathlib import Path

import pytest

from contracts.events import EditionPublished, Event, OfficerPublished, Policy, SealingKey
from contracts.topics import key_of
from services.intake.adapters.files import FileInvalid, read_files
from services.intake.domain.directory import Directory
from services.intake.office import WHOLE, kept_days, replaced
from services.intake.publishing import compare
from tests.support.intake import NOW, PUBLIC_KEY, edition, officer, unit
from tests.support.office import BY, MemoryLedger, office

DATA = Path(__file__).parents[3] / "data"
KEY = SealingKey(key_id="2017-1", public_key=PUBLIC_KEY)


def by_key(*events: Event) -> dict[str, Event]:
    return {key_of(event): event for event in events}


def test_the_directory_of_2017_is_complete_and_every_made_up_officer_is_marked() -> None:
    events = read_files([DATA / "directory-2017.yaml"], None)
    officers = [event for event in events.values() if isinstance(event, OfficerPublished)]
    assert len(events) - len(officers) == 21 + 8
    real = [event.name for event in officers if not event.sample]
    assert real == ["Đinh Thị Minh Phương"]
    assert {event.unit_id for event in officers} == {k[5:] for k in events if k.startswith("unit:")}


def test_the_edition_of_2017_asks_as_it_did() -> None:
    [edition] = read_files([DATA / "edition-2017.yaml"], KEY).values()
    assert isinstance(edition, EditionPublished)
    assert [answer.text.vi for answer in edition.instrument.answers] == ["Hài lòng", "Chưa hài lòng"]
    assert [answer.asks_reasons for answer in edition.instrument.answers] == [False, True]


def test_an_edition_needs_its_public_key() -> None:
    with pytest.raises(FileInvalid, match="--sealing-key"):
        read_files([DATA / "edition-2017.yaml"], None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("directory: {groups: []}", "directory.officer_title"),
        ("directory: [", "file.yaml"),
        ("colour: blue", "colour"),
        (
            "directory: {officer_title: {vi: a, en: a}, groups: [{id: g, name: {vi: g, en: g}, units: ["
            "{id: u, name: {vi: u, en: u}}, {id: u, name: {vi: u, en: u}}]}]}",
            "u is there twice",
        ),
    ],
)
def test_an_invalid_file_is_refused_with_its_place(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(content)
    with pytest.raises(FileInvalid, match=complaint):
        read_files([file], None)


EDITION = (DATA / "edition-2017.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("duplicate_window_days", "duplicate_window_day"), r"edition.policy.duplicate_window_day: Extra"),
        (("closes_on: 2099-12-31", "closes_on: 2017-02-28"), r"edition: .*closes_on is before opens_on"),
        (("id: many_visits", "id: late"), r"edition.instrument: .*“late” is there twice"),
        (("id: two-answer", "id: two-answer\n    id: again"), r"id is there twice"),
        (("opens_on: 2017-03-01", "opens_on: soon"), r"edition.opens_on: "),
        (("en: Satisfied}", "fr: Satisfait}"), r"edition.instrument.answers\[0\].text.en: Field required"),
    ],
)
def test_a_slip_in_an_edition_is_named_with_its_place(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    file = tmp_path / "edition.yaml"
    file.write_text(EDITION.replace(*change))
    with pytest.raises(FileInvalid, match=complaint):
        read_files([file], KEY)


def test_all_that_is_wrong_with_all_files_is_said_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("colour: blue")
    with pytest.raises(FileInvalid) as caught:
        read_files([tmp_path / "a", tmp_path / "b", tmp_path / "absent"], None)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        str(tmp_path / name) for name in ("a", "b", "absent")
    ]


def test_the_key_of_another_edition_is_refused() -> None:
    with pytest.raises(FileInvalid, match="another edition's"):
        read_files([DATA / "edition-2017.yaml"], SealingKey(key_id="2018-1", public_key=PUBLIC_KEY))


def test_what_is_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(EDITION)
    with pytest.raises(FileInvalid, match="edition:2017 is in another file too"):
        read_files([tmp_path / "a", tmp_path / "b"], KEY)


def test_only_differences_are_planned() -> None:
    there = by_key(unit("same"), unit("renamed"), unit("gone"), officer("so-y-te.other-kind"))
    plan = compare(by_key(unit("same"), unit("renamed", "Sở mới"), unit("new")), there)
    assert (plan.added, plan.changed) == (["unit:new"], ["unit:renamed"])
    assert (plan.unchanged, plan.absent) == (["unit:same"], ["unit:gone"])


@pytest.mark.parametrize("prune", [False, True])
async def test_what_is_absent_is_removed_when_asked_for(prune: bool) -> None:
    ledger = MemoryLedger(by_key(unit("gone")))
    wanted = by_key(unit("new"))
    gone = compare(wanted, ledger.there).absent if prune else ()
    await office(ledger).act(BY, "files_published", WHOLE, replaced(wanted, gone))
    tombstones = [message.key for topic, message in ledger.written if message.value is None]
    assert tombstones == ([b"unit:gone"] if prune else [])


def test_what_stays_on_the_log_counts_for_how_long_submissions_may_be_kept() -> None:
    strict = edition("2016", policy=Policy(phone_retention_days=30))
    there, wanted = Directory().with_(by_key(strict, unit())), by_key(edition("2017"))
    absent = compare(wanted, there.by_key()).absent
    assert kept_days(there, replaced(wanted, ())(there, NOW.date())) == 30
    assert kept_days(there, replaced(wanted, absent)(there, NOW.date())) == 90
    assert kept_days(there, replaced(by_key(edition("2016")), ())(there, NOW.date())) == 90
