"""The rules by which a rating counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.events import Assurance, ProofOfWork, RejectionReason, VerificationPolicy, Vouching
from services.verification.domain.days import whole_edition, window
from services.verification.domain.ratings import (
    Accepted,
    ChallengeCheck,
    Claim,
    CodeCheck,
    Event,
    Expire,
    PhoneCodeIssued,
    PhoneCodeMissed,
    ProofCheck,
    Rejected,
    State,
    Undecided,
    evolve,
)
from tests.unit.verification.scenario import NOON, code, edition, given, submission, vouched

CAPTCHA, PHONE, BOTH = VerificationPolicy
WRONG, RIGHT = CodeCheck.WRONG, CodeCheck.RIGHT
UNTIL = NOON + timedelta(minutes=10)  # NIST SP 800-63B-4, 3.1.3.2: at most
ISSUED = PhoneCodeIssued(UNTIL, Assurance.PHONE_CODE)


def test_a_right_challenge_is_enough_where_the_policy_is_the_captcha() -> None:
    then = given().when(submission(CAPTCHA))
    assert then.event == Accepted(Assurance.CAPTCHA)
    assert list(then.claims) == [Claim.IDEMPOTENCY_TOKEN, Claim.CHALLENGE, Claim.SLOT]


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (ChallengeCheck.WRONG, RejectionReason.CHALLENGE_WRONG),
        (ChallengeCheck.EXPIRED, RejectionReason.CHALLENGE_EXPIRED),
        (ChallengeCheck.INVALID, RejectionReason.CHALLENGE_INVALID),
    ],
)
def test_a_challenge_that_is_not_right_is_named(check: ChallengeCheck, reason: RejectionReason) -> None:
    assert given().when(submission(challenge=check)).event == Rejected(reason)


def test_a_wrong_answer_uses_the_challenge_up() -> None:
    then = given().when(submission(challenge=ChallengeCheck.WRONG))
    assert then.claims[Claim.CHALLENGE]


@pytest.mark.parametrize("check", [ChallengeCheck.RIGHT, ChallengeCheck.WRONG])
def test_a_challenge_that_another_rating_used_counts_for_none(check: ChallengeCheck) -> None:
    then = given().but_another_has(Claim.CHALLENGE).when(submission(challenge=check))
    assert then.event == Rejected(RejectionReason.CHALLENGE_USED)
    assert Claim.SLOT not in then.claims


def test_another_body_under_the_same_key_is_refused_and_burns_no_challenge() -> None:
    then = given().but_another_has(Claim.IDEMPOTENCY_TOKEN).when(submission())
    assert then.event == Rejected(RejectionReason.IDEMPOTENCY_KEY_REUSED)
    assert list(then.claims) == [Claim.IDEMPOTENCY_TOKEN]


def test_the_second_rating_of_phone_officer_and_window_is_a_duplicate() -> None:
    then = given().but_another_has(Claim.SLOT).when(submission())
    assert then.event == Rejected(RejectionReason.DUPLICATE, Assurance.CAPTCHA)


def test_a_rejected_rating_takes_no_slot_from_a_later_one() -> None:
    then = given().when(submission(challenge=ChallengeCheck.WRONG))
    assert Claim.SLOT not in then.claims


def test_an_edition_nobody_knows_takes_no_ratings() -> None:
    assert given().when(submission(known=False)).event == Rejected(RejectionReason.EDITION_CLOSED)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        (datetime(2017, 2, 28, 16, 59, 59, tzinfo=UTC), False),  # a second before midnight in the city
        (datetime(2017, 2, 28, 17, 0, tzinfo=UTC), True),
        (datetime(2017, 12, 31, 16, 59, 59, tzinfo=UTC), True),
        (datetime(2017, 12, 31, 17, 0, tzinfo=UTC), False),
    ],
)
def test_an_edition_opens_and_closes_at_midnight_in_the_city(at: datetime, open_: bool) -> None:
    event = given().when(submission(at=at)).event
    assert (event == Accepted(Assurance.CAPTCHA)) is open_


def test_windows_begin_at_midnight_in_the_city_with_the_day_the_edition_opened() -> None:
    def at(moment: str, days: int = 1) -> int:
        return window(edition(window_days=days), datetime.fromisoformat(moment))

    assert at("2017-03-01T00:00:00+07:00") == 0
    assert at("2017-03-01T16:59:59Z") == 0
    assert at("2017-03-01T17:00:00Z") == 1
    assert [at(f"2017-03-{day:02d}T12:00:00+07:00", 7) for day in (1, 7, 8, 14, 15)] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("policy", "assurance"),
    [(PHONE, Assurance.PHONE_CODE), (BOTH, Assurance.CAPTCHA_AND_PHONE_CODE)],
)
def test_a_phone_policy_asks_for_a_code_and_accepts_the_right_one(
    policy: VerificationPolicy, assurance: Assurance
) -> None:
    issued = given().when(submission(policy)).event
    assert issued == PhoneCodeIssued(UNTIL, assurance)
    assert given(issued).when(code(RIGHT, UNTIL)).event == Accepted(assurance)


def test_the_phone_policy_asks_for_no_challenge() -> None:
    then = given().when(submission(PHONE, challenge=ChallengeCheck.INVALID))
    assert isinstance(then.event, PhoneCodeIssued)
    assert Claim.CHALLENGE not in then.claims


def test_both_means_that_no_code_is_sent_for_a_wrong_challenge() -> None:
    then = given().when(submission(BOTH, challenge=ChallengeCheck.WRONG))
    assert then.event == Rejected(RejectionReason.CHALLENGE_WRONG)


def test_a_phone_that_cannot_be_read_matters_only_where_it_is_needed() -> None:
    assert given().when(submission(CAPTCHA, phone_readable=False)).event == Accepted(Assurance.CAPTCHA)
    unreadable = given().when(submission(PHONE, phone_readable=False)).event
    assert unreadable == Rejected(RejectionReason.PHONE_UNREADABLE)


def test_the_right_code_of_an_sms_that_is_too_old_ends_it_as_expired() -> None:
    then = given(ISSUED).when(code(CodeCheck.EXPIRED, NOON))
    assert then.event == Rejected(RejectionReason.EXPIRED)
    assert not then.claims


def test_the_fifth_wrong_code_ends_it() -> None:
    past: list[Event] = [ISSUED, *[PhoneCodeMissed()] * 3]
    assert given(*past).when(code(WRONG, NOON)).event == PhoneCodeMissed()
    last = given(*past, PhoneCodeMissed())
    assert last.when(code(WRONG, NOON)).event == Rejected(RejectionReason.PHONE_CODE_WRONG)
    assert last.when(code(RIGHT, NOON)).event == Accepted(Assurance.PHONE_CODE)


def test_a_duplicate_is_found_only_after_the_phone_is_proved() -> None:
    taken = given(ISSUED).but_another_has(Claim.SLOT)
    assert taken.when(code(WRONG, NOON)).event == PhoneCodeMissed()
    assert taken.when(code(RIGHT, NOON)).event == Rejected(RejectionReason.DUPLICATE, Assurance.PHONE_CODE)


def test_a_code_entered_in_time_counts_and_one_entered_later_does_not() -> None:
    assert given(ISSUED).when(code(RIGHT, UNTIL)).event == Accepted(Assurance.PHONE_CODE)
    late = given(ISSUED).when(code(RIGHT, UNTIL + timedelta(milliseconds=1)))
    assert late.event == Rejected(RejectionReason.EXPIRED)


def test_a_code_that_nobody_can_open_any_more_ends_it() -> None:
    event = given(ISSUED).when(code(CodeCheck.UNREADABLE, NOON)).event
    assert event == Rejected(RejectionReason.PHONE_UNREADABLE)


def test_what_is_still_awaited_expires_only_when_all_before_has_been_read() -> None:
    assert given(ISSUED).when(Expire(UNTIL)).event is None
    later = Expire(UNTIL + timedelta(milliseconds=1))
    assert given(ISSUED).when(later).event == Rejected(RejectionReason.EXPIRED)


@pytest.mark.parametrize("decided", [Accepted(Assurance.PHONE_CODE), Rejected(RejectionReason.EXPIRED)])
def test_nothing_changes_what_is_decided(decided: Accepted | Rejected) -> None:
    for command in (
        submission(PHONE),
        code(RIGHT, NOON),
        code(WRONG, NOON),
        Expire(UNTIL + timedelta(days=1)),
    ):
        assert given(ISSUED, decided).when(command).event is None


def test_a_code_for_a_rating_nobody_knows_changes_nothing() -> None:
    assert given().when(code(RIGHT, NOON)).event is None
    assert given().when(Expire(NOON)).event is None


@pytest.mark.parametrize("state", [Undecided(), Accepted(Assurance.CAPTCHA)])
def test_a_wrong_try_follows_on_nothing_but_an_awaited_code(state: State) -> None:
    with pytest.raises(TypeError, match=f"PhoneCodeMissed cannot follow on {type(state).__name__}"):
        evolve(state, PhoneCodeMissed())


BESIDE, INSTEAD, NO_PROOF = ProofOfWork.BESIDE, ProofOfWork.INSTEAD, ProofOfWork.NONE
NO_CODE = ChallengeCheck.INVALID


@pytest.mark.parametrize(
    ("policy", "asked", "challenge", "proof", "assurance"),
    [
        (CAPTCHA, NO_PROOF, ChallengeCheck.RIGHT, ProofCheck.INVALID, Assurance.CAPTCHA),
        (CAPTCHA, BESIDE, ChallengeCheck.RIGHT, ProofCheck.RIGHT, Assurance.CAPTCHA_AND_PROOF_OF_WORK),
        (CAPTCHA, INSTEAD, NO_CODE, ProofCheck.RIGHT, Assurance.PROOF_OF_WORK),
        (CAPTCHA, INSTEAD, ChallengeCheck.RIGHT, ProofCheck.NONE, Assurance.CAPTCHA),
        (PHONE, BESIDE, NO_CODE, ProofCheck.RIGHT, Assurance.PROOF_OF_WORK_AND_PHONE_CODE),
        (PHONE, INSTEAD, NO_CODE, ProofCheck.NONE, Assurance.PHONE_CODE),
        (BOTH, INSTEAD, NO_CODE, ProofCheck.RIGHT, Assurance.PROOF_OF_WORK_AND_PHONE_CODE),
        (
            BOTH,
            BESIDE,
            ChallengeCheck.RIGHT,
            ProofCheck.RIGHT,
            Assurance.CAPTCHA_AND_PROOF_OF_WORK_AND_PHONE_CODE,
        ),
    ],
)
def test_what_stood_behind_a_rating_is_what_its_edition_asked_for(
    policy: VerificationPolicy,
    asked: ProofOfWork,
    challenge: ChallengeCheck,
    proof: ProofCheck,
    assurance: Assurance,
) -> None:
    rated = submission(policy, proof_of_work=asked, challenge=challenge, proof=proof)
    event = given().when(rated).event
    assert isinstance(event, Accepted | PhoneCodeIssued)
    assert event.assurance is assurance


@pytest.mark.parametrize("asked", [BESIDE, INSTEAD])
@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        (ProofCheck.INVALID, RejectionReason.PROOF_OF_WORK_INVALID),
        (ProofCheck.EXPIRED, RejectionReason.PROOF_OF_WORK_EXPIRED),
    ],
)
def test_a_proof_of_work_that_is_not_right_is_named(
    asked: ProofOfWork, proof: ProofCheck, reason: RejectionReason
) -> None:
    then = given().when(submission(proof_of_work=asked, proof=proof))
    assert then.event == Rejected(reason)
    assert Claim.PROOF_OF_WORK not in then.claims


def test_beside_the_code_neither_stands_for_the_other() -> None:
    without = submission(proof_of_work=BESIDE, proof=ProofCheck.NONE)
    assert given().when(without).event == Rejected(RejectionReason.PROOF_OF_WORK_INVALID)
    mistyped = submission(proof_of_work=BESIDE, challenge=ChallengeCheck.WRONG, proof=ProofCheck.RIGHT)
    assert given().when(mistyped).event == Rejected(RejectionReason.CHALLENGE_WRONG)


def test_instead_of_the_code_one_of_both_is_needed() -> None:
    neither = submission(proof_of_work=INSTEAD, challenge=NO_CODE, proof=ProofCheck.NONE)
    assert given().when(neither).event == Rejected(RejectionReason.CHALLENGE_INVALID)


@pytest.mark.parametrize("asked", [BESIDE, INSTEAD])
def test_a_proof_of_work_that_another_rating_used_counts_for_none(asked: ProofOfWork) -> None:
    rated = submission(proof_of_work=asked, proof=ProofCheck.RIGHT)
    then = given().but_another_has(Claim.PROOF_OF_WORK).when(rated)
    assert then.event == Rejected(RejectionReason.PROOF_OF_WORK_USED)
    assert Claim.SLOT not in then.claims


def test_everything_is_claimed_in_one_order() -> None:
    then = given().when(submission(proof_of_work=BESIDE, proof=ProofCheck.RIGHT))
    assert list(then.claims) == sorted(Claim)


@pytest.mark.parametrize("by", Vouching)
def test_who_vouches_stands_for_code_and_phone_where_the_edition_lets_them(by: Vouching) -> None:
    then = given().when(vouched(by, by))
    assert then.event == Accepted(Assurance(by.value))
    assert list(then.claims) == [Claim.IDEMPOTENCY_TOKEN]


@pytest.mark.parametrize("by", Vouching)
def test_who_may_not_vouch_vouches_for_nothing(by: Vouching) -> None:
    others = [each for each in Vouching if each is not by]
    assert given().when(vouched(by, *others)).event == Rejected(RejectionReason.VOUCHING_REFUSED)


def test_a_phone_that_came_with_a_vouched_rating_counts_once_all_the_same() -> None:
    command = vouched(Vouching.DEVICE, Vouching.DEVICE, has_slot=True)
    assert given().when(command).event == Accepted(Assurance.DEVICE)
    then = given().but_another_has(Claim.SLOT).when(command)
    assert then.event == Rejected(RejectionReason.DUPLICATE, Assurance.DEVICE)


def test_a_file_that_the_office_knows_is_an_assurance_of_its_own_beside_what_is_asked() -> None:
    with_file = replace(submission(CAPTCHA), has_file=True)
    assert given().when(with_file).event == Accepted(Assurance.FILE)
    wrong = replace(with_file, challenge=ChallengeCheck.WRONG)
    assert given().when(wrong).event == Rejected(RejectionReason.CHALLENGE_WRONG)
    on_paper = vouched(Vouching.PAPER, Vouching.PAPER, has_file=True, has_slot=True)
    assert given().when(on_paper).event == Accepted(Assurance.FILE)


def test_a_rating_without_phone_and_file_needs_somebody_who_vouches() -> None:
    then = given().when(replace(submission(CAPTCHA), has_slot=False))
    assert then.event == Rejected(RejectionReason.PHONE_UNREADABLE)


@pytest.mark.parametrize("days", [1, 7, 400])
def test_the_window_of_the_whole_edition_is_kept_as_long_as_any_of_its_windows(days: int) -> None:
    asked = edition(window_days=days)
    last = datetime.combine(asked.closes_on, datetime.min.time(), UTC)
    assert whole_edition(asked) == window(asked, last)
