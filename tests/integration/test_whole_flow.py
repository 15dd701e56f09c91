"""Every process real and of its own: what citizens, portals and dashboards meet."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from contracts.city_time import CITY_TIME, city_day
from tests.support import stack
from tests.support.citizen import a_citizen
from tests.support.figures import FIGURES_SECONDS, counts, live_events, moved_by
from tests.support.leaks import everything_in, spellings, topics
from tests.support.system import OFFICER, Submitted, System, a_system, new_phone
from tests.support.trace_receiver import Receiver, Span, receiver

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920a331-01"


@pytest.fixture(scope="module")
async def traced_to(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    async with receiver(tmp_path_factory.mktemp("traces")) as found:
        yield found


@pytest.fixture(scope="module")
async def system(
    postgres: str, traced_to: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """On a broker of its own: the directory and the log are this system's alone. All of it is traced, of
    which nobody outside notices anything."""
    folder = tmp_path_factory.mktemp("system")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HAILONG_TRACES_TO", traced_to.url)
        async with (
            stack.kafka_server(stack.chosen(), folder / "kafka") as kafka,
            a_system(folder / "local", kafka.bootstrap, postgres) as system,
        ):
            yield system


async def test_a_right_rating_is_accepted_and_moves_every_figure_once(system: System) -> None:
    before = await counts(system)
    submitted = await system.submit(answer="not_satisfied", reasons=["late", "attitude"], channel="qr")
    assert submitted.answer.status_code == 202
    outcome = await system.outcome(submitted.rating_id)
    assert outcome["status"] == "accepted"
    await moved_by(
        system, before, {"not_satisfied": 1, "reason late": 1, "reason attitude": 1, "channel qr": 1}
    )


async def test_a_wrong_code_is_rejected_and_uses_the_challenge_up(system: System) -> None:
    before = await counts(system)
    challenge_id, digits = await system.challenge()
    wrong = "0" * 6 if digits != "0" * 6 else "2" * 6
    first = await system.submit(challenge={"id": challenge_id, "answer": wrong})
    assert (await system.outcome(first.rating_id))["reason"] == "challenge_wrong"
    second = await system.submit(challenge={"id": challenge_id, "answer": digits})
    assert (await system.outcome(second.rating_id))["reason"] == "challenge_used"
    await moved_by(system, before, {"rejected challenge_wrong": 1, "rejected challenge_used": 1})


async def test_one_challenge_raced_by_many_lets_one_through(system: System) -> None:
    before = await counts(system)
    challenge_id, digits = await system.challenge()
    challenge = {"id": challenge_id, "answer": digits}
    racers = await asyncio.gather(*(system.submit(challenge=challenge) for _ in range(8)))
    outcomes = await asyncio.gather(*(system.outcome(each.rating_id) for each in racers))
    assert (
        sorted(each.get("reason", "accepted") for each in outcomes) == ["accepted"] + ["challenge_used"] * 7
    )
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1, "rejected challenge_used": 7})


async def test_a_second_rating_of_the_day_does_not_count_and_the_caller_cannot_tell(system: System) -> None:
    before = await counts(system)
    phone = new_phone()
    first = await system.submit(phone=phone)
    second = await system.submit(phone="+84" + phone.replace(" ", "")[1:])
    outcomes = [await system.outcome(each.rating_id) for each in (first, second)]
    assert [each["status"] for each in outcomes] == ["accepted", "accepted"]
    assert outcomes[0].keys() == outcomes[1].keys()
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1, "rejected duplicate": 1})


async def test_the_same_request_sent_again_is_one_rating(system: System) -> None:
    before = await counts(system)
    first = await system.submit()
    again = await asyncio.gather(*(system.send(first.body, first.key) for _ in range(5)))
    assert {each.rating_id for each in again} == {first.rating_id}
    assert (await system.outcome(first.rating_id))["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})


async def test_who_withdraws_by_the_receipt_leaves_the_figures_once(system: System) -> None:
    before = await counts(system)
    submitted = [await system.submit() for _ in range(2)]
    for each in submitted:
        assert (await system.outcome(each.rating_id))["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 2, "channel portal": 2})
    receipt = {"receipt": submitted[0].answer.json()["receipt"]}
    asked = [await system.http.post(f"{system.url('intake')}/v1/withdrawals", json=receipt) for _ in range(2)]
    assert [each.status_code for each in asked] == [202, 202]
    assert asked[0].json() == asked[1].json()
    await system.outcome(submitted[0].rating_id, status="withdrawn")
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})
    today = city_day(datetime.now(UTC))
    past = await system.figures(f"city?as_of={today - timedelta(days=1)}")
    assert past["total"] == 0


async def test_a_wave_is_voided_from_the_command_line_and_gone_through_again_changes_nothing(
    system: System,
) -> None:
    before = await counts(system)
    now = datetime.now(UTC).astimezone(CITY_TIME)
    submitted = [
        await system.submit(channel="kiosk", answer="not_satisfied", reasons=["late"]) for _ in "123"
    ]
    for each in submitted:
        assert (await system.outcome(each.rating_id))["status"] == "accepted"
    await moved_by(system, before, {"not_satisfied": 3, "reason late": 3, "channel kiosk": 3})
    said = {
        "--edition": "2017",
        "--officer": OFFICER,
        "--channel": "kiosk",
        "--since": f"{now:%Y-%m-%dT%H:%M:%S}",
        "--before": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}",
        "--reason": "coordinated",
        "--words": "Ba đánh giá của một người",
        "--by": "Văn phòng khảo sát",
    }
    start = ["void", "start", *(part for each in said.items() for part in each)]
    looked = await system.run("intake", "services.intake", *start, "--dry-run")
    assert "3 submissions fit" in looked
    assert "Nothing was voided." in looked
    done = await system.run("intake", "services.intake", *start, "--yes")
    wave = re.search(r"^wave (\S+)$", done, re.MULTILINE)
    assert wave is not None
    await moved_by(system, before, {})
    again = await system.run("intake", "services.intake", "void", "resume", wave[1])
    assert "3 of them asked for before" in again
    assert "Ba đánh giá của một người" in await system.run("intake", "services.intake", "void", "list")
    trail = await system.run("intake", "services.intake", "office", "actions", "--about", wave[1])
    assert trail.count("wave_voided") == 1
    await system.outcome(submitted[0].rating_id, status="withdrawn")
    await moved_by(system, before, {})


async def test_another_body_under_the_key_is_refused_and_after_a_restart_rejected(system: System) -> None:
    before = await counts(system)
    first = await system.submit()
    other = first.body | {"phone": new_phone()}
    assert (await system.outcome(first.rating_id))["status"] == "accepted"
    refused = await system.send(other, first.key)
    assert (refused.answer.status_code, refused.answer.json()["type"]) == (
        422,
        "urn:hailong:problem:idempotency_key_reused",
    )
    await system.restart("intake", kill=True)  # and with it what it remembered
    taken = await system.send(other, first.key)
    assert (await system.outcome(taken.rating_id))["reason"] == "idempotency_key_reused"
    await moved_by(
        system, before, {"satisfied": 1, "channel portal": 1, "rejected idempotency_key_reused": 1}
    )


async def test_an_outcome_is_told_to_who_waits_for_it_once_it_is_decided(system: System) -> None:
    before = await counts(system)
    await system.terminate("verification-worker")
    submitted = await system.submit()
    url = f"{system.url('verification')}/v1/ratings/{submitted.rating_id}/outcome"
    pending = await system.http.get(url)
    assert (pending.json()["status"], pending.headers["cache-control"]) == ("pending", "no-store")
    waiting = asyncio.create_task(system.http.get(url, params={"wait": 25}))
    await system.start("verification-worker")
    assert (await waiting).json()["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})


async def test_an_unknown_rating_is_pending_which_says_nothing_of_others(system: System) -> None:
    unknown = "0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d"
    answer = await system.http.get(f"{system.url('verification')}/v1/ratings/{unknown}/outcome?wait=1")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


async def test_a_dashboard_hears_of_a_rating_within_a_second_of_its_outcome(system: System) -> None:
    url = f"{system.url('aggregation')}/v1/live?scope=officer:{OFFICER}"
    async with system.http.stream("GET", url) as stream:
        events = live_events(stream.aiter_lines())
        kind, figures = await anext(events)
        assert kind == "snapshot"
        took = []
        for number in range(1, 6):
            submitted = await system.submit()
            await system.outcome(submitted.rating_id)
            decided = time.monotonic()
            async with asyncio.timeout(FIGURES_SECONDS):
                kind, moved = await anext(events)
            took.append(time.monotonic() - decided)
            assert (kind, moved["satisfied"]) == ("figures", figures["satisfied"] + number)
    assert min(took) < 1, took  # a busy machine can only add to it


async def test_a_trace_leads_from_the_portal_to_the_decision_and_no_further(
    system: System, traced_to: Receiver
) -> None:
    before, figures = {span.trace for span in traced_to.spans()}, await counts(system)
    async with a_citizen(system) as citizen:
        await citizen.rates(new_phone())
    await moved_by(system, figures, {"satisfied": 1, "channel portal": 1})

    def arrived(spans: list[Span]) -> bool:
        new = [span.name for span in spans if span.trace not in before]
        return {"process rating-submissions", "count", "POST intake"} <= set(new)

    spans = [span for span in await traced_to.until(arrived) if span.trace not in before]
    by_id = {span.id: span for span in spans}
    [decided] = [span for span in spans if span.name == "process rating-submissions"]
    path = [decided]
    while path[-1].parent:
        path.append(by_id[path[-1].parent])
    assert [(span.process, span.name, span.kind, span.failed) for span in reversed(path)] == [
        ("portal", "GET /danh-gia/cong-chuc/{officer_id}/xu-ly", "server", False),
        ("portal", "POST intake", "client", False),
        ("intake", "POST /v1/ratings", "server", False),
        ("intake", "send rating-submissions", "producer", False),
        ("verification-worker", "process rating-submissions", "consumer", False),
    ]
    [(_, batch)] = decided.links
    assert (by_id[batch].name, by_id[batch].parent) == ("batch rating-submissions", "")
    assert {span.name for span in spans if span.parent == batch} == {"decide", "commit"}
    # What has counted it has traces of its own, which nothing joins to these.
    counting = {span.trace for span in spans if span.process == "aggregation-worker"}
    counted = [span for span in traced_to.spans() if span.trace in counting]
    assert {(span.process, span.name, span.links) for span in counted} == {
        ("aggregation-worker", "batch rating-outcomes", ()),
        ("aggregation-worker", "count", ()),
    }


async def test_nothing_of_a_trace_is_in_an_outcome_and_no_id_of_a_rating_in_a_trace(
    system: System, traced_to: Receiver
) -> None:
    """Over all that the tests above did. Outcomes are kept for ever, and a caller may choose its trace."""
    before = await counts(system)
    headers = {**system.on_behalf_of_someone(), "traceparent": TRACEPARENT}
    submitted = await system.submit(headers=headers)
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})
    chosen = TRACEPARENT.split("-")[1]
    spans = await traced_to.until(
        lambda spans: any(span.trace == chosen and span.name.startswith("process") for span in spans)
    )
    committed = await topics(system.kafka_bootstrap, isolation_level="read_committed")
    submissions, outcomes = (committed[name].decode() for name in ("rating-submissions", "rating-outcomes"))
    ids = {each for span in spans for each in (span.trace, span.id)}
    assert chosen in submissions
    assert {each for each in ids if each in outcomes} == set()
    told = traced_to.everything().decode()
    held = {submitted.key, *re.findall(r'"rating_id":"([^"]+)"', submissions)}
    held |= set(re.findall(r'"submission_id":"([^"]+)"', outcomes))
    assert len(held) > 2
    assert {each for each in held if each in told} == set()


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_an_end_of_every_process_loses_nothing_and_counts_nothing_twice(
    system: System, how: str
) -> None:
    before = await counts(system)
    submitted = [await system.submit() for _ in range(5)]
    for name in system.parts:
        challenges = [await system.challenge() for _ in range(4)]
        sending = asyncio.create_task(_send_all(system, challenges))
        await system.restart(name, kill=how == "kill")
        submitted += await sending
    assert len({each.rating_id for each in submitted}) == 5 + 4 * len(system.parts)
    outcomes = await asyncio.gather(*(system.outcome(each.rating_id) for each in submitted))
    assert {each["status"] for each in outcomes} == {"accepted"}
    await moved_by(system, before, {"satisfied": len(submitted), "channel portal": len(submitted)})


async def _send_all(system: System, challenges: list[tuple[str, str]]) -> list[Submitted]:
    return [
        await system.submit_until_taken(challenge={"id": challenge_id, "answer": digits})
        for challenge_id, digits in challenges
    ]


@pytest.fixture(scope="module")
async def phone_edition(system: System) -> str:
    """One that asks for a phone code in place of a challenge, open beside the other."""
    await system.publish("2018", alone=False, verification="phone")
    return "2018"


async def test_a_code_sent_to_the_phone_verifies_a_rating(system: System, phone_edition: str) -> None:
    before = await counts(system)
    rating_id, code = await _asked_for_a_code(system, phone_edition)
    await _enter(system, phone_edition, rating_id, code)
    assert (await system.outcome(rating_id))["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})


async def test_five_wrong_codes_end_a_rating(system: System, phone_edition: str) -> None:
    before = await counts(system)
    rating_id, code = await _asked_for_a_code(system, phone_edition)
    wrong = "111111" if code != "111111" else "222222"
    for left in (4, 3, 2, 1):
        await _enter(system, phone_edition, rating_id, wrong)
        async with asyncio.timeout(FIGURES_SECONDS):
            while await _tries_left(system, rating_id) != left:
                await asyncio.sleep(0.02)
    await _enter(system, phone_edition, rating_id, wrong)
    assert (await system.outcome(rating_id))["reason"] == "phone_code_wrong"
    await _enter(system, phone_edition, rating_id, code)  # too late
    await moved_by(system, before, {"rejected phone_code_wrong": 1})
    assert (await system.outcome(rating_id))["reason"] == "phone_code_wrong"


async def _asked_for_a_code(system: System, edition: str) -> tuple[str, str]:
    known = len(system.text_messages())
    submitted = await system.submit(edition_id=edition, challenge=None)
    await system.outcome(submitted.rating_id, status="phone_code_needed")
    async with asyncio.timeout(FIGURES_SECONDS):
        while len(system.text_messages()) == known:
            await asyncio.sleep(0.02)
    found = re.search(r"\b\d{6}\b", system.text_messages()[-1])
    assert found is not None
    return submitted.rating_id, found[0]


async def _enter(system: System, edition: str, rating_id: str, code: str) -> None:
    entered = await system.http.post(
        f"{system.url('intake')}/v1/ratings/{rating_id}/phone-code",
        json={"edition_id": edition, "code": code},
        headers={"Idempotency-Key": secrets.token_urlsafe(24)},
    )
    assert entered.status_code == 202


async def _tries_left(system: System, rating_id: str) -> int:
    outcome = await system.outcome(rating_id, status="phone_code_needed")
    return int(outcome["phone_code"]["tries_left"])


async def test_each_submission_has_one_outcome_and_the_figures_are_their_fold(system: System) -> None:
    """Over all that the tests above did: nothing was counted again after they had looked."""
    committed = await topics(system.kafka_bootstrap, isolation_level="read_committed")
    submitted = set(re.findall(rb'"rating_id":"([^"]+)"', committed["rating-submissions"]))
    told = re.findall(rb'"submission_id":"([^"]+)"', committed["rating-outcomes"])
    withdrawn = committed["rating-outcomes"].count(b'"accepted_at":')
    assert len(told) - withdrawn == len(set(told)) == len(submitted) > 0
    city = await system.figures("city")
    assert city["total"] + sum(each["count"] for each in city["rejected"]) == len(set(told)) - withdrawn


async def test_no_phone_number_is_anywhere_in_the_clear(system: System, traced_to: Receiver) -> None:
    """Runs last: looks for every number posted above in logs, topics, databases and metrics."""
    first = await system.submit()
    await system.outcome(first.rating_id)
    duplicate = await system.submit(phone=first.body["phone"])
    await system.outcome(duplicate.rating_id)
    refused = await system.submit(phone=first.body["phone"] + "999")
    assert refused.answer.status_code == 422
    haystacks = {f"log {path.name}": path.read_bytes() for path in system.layout.logs.iterdir()}
    haystacks["traces"] = traced_to.everything()
    haystacks |= {
        f"topic {name}": content for name, content in (await topics(system.kafka_bootstrap)).items()
    }
    for name, url in system.database_urls.items():
        haystacks[f"database {name}"] = await everything_in(url)
    for name in system.parts:
        haystacks[f"metrics {name}"] = (
            await system.http.get(f"{system.operations_url(name)}/metrics")
        ).content
    assert b'"request"' in haystacks["log intake.log"]
    assert first.rating_id.encode() in haystacks["topic rating-submissions"]
    assert b"so-ban-nganh" in haystacks["database aggregation"]
    needles = {needle for phone in system.posted_phones for needle in spellings(phone)}
    sent = b"".join(path.read_bytes() for path in system.layout.outbox.glob("*.json"))
    assert not sent or any(needle in sent for needle in needles), "the search finds what is there"
    assert {name for name, hay in haystacks.items() for needle in needles if needle in hay} == set()
