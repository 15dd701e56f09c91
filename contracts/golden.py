"""One true-to-life example of every event. Their encoded forms are committed as golden files."""

from datetime import UTC, date, datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events import (
    AnswerChoice,
    ApiClientPublished,
    ApiKey,
    Assurance,
    ChallengeAnswer,
    DirectoryChange,
    EditionPublished,
    Event,
    FieldChange,
    Instrument,
    OfficeActionTaken,
    OfficerPublished,
    PaperFormEntered,
    PaperFormsIssued,
    PhoneCodeEntered,
    Policy,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
    RatingVoidRequested,
    RatingWithdrawalRequested,
    RatingWithdrawn,
    Reason,
    RejectionReason,
    Sealed,
    SealingKey,
    Selection,
    Text,
    UnitPublished,
    VoidReason,
    WaveVoided,
    Withdrawal,
)
from contracts.topics import key_of

_UNIT = "so-thong-tin-va-truyen-thong"
_OFFICER = f"{_UNIT}.dinh-thi-minh-phuong"
_RATING = UUID("0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d")
_SUBMISSION = UUID("7d0f6a52-91c4-8e3b-a6f0-5b2d8c4e1f97")
_SUBMITTED = datetime(2017, 11, 23, 2, 15, 30, 125000, tzinfo=UTC)
_DECIDED = datetime(2017, 11, 23, 2, 15, 30, 190000, tzinfo=UTC)
_WITHDRAWN = datetime(2017, 11, 25, 9, 40, tzinfo=UTC)
_WAVE = UUID("5d1f9b0a-7c3e-4f52-8a16-c9e2d4b70813")
_SEALED = Sealed(
    key_id="2017-1", box="c2VhbGVkIHdpdGggbGlic29kaXVtLCByZWFkYWJsZSBieSB2ZXJpZmljYXRpb24gYWxvbmU="
)

EVENTS: tuple[Event, ...] = (
    UnitPublished(
        unit_id=_UNIT,
        name=Text(vi="Sở Thông tin và Truyền thông", en="Department of Information and Communications"),
        group_id="so-ban-nganh",
        group_name=Text(vi="Sở, Ban, Ngành", en="City departments"),
        position=2,
        closed_on=date(2025, 3, 1),
        merged_into="so-khoa-hoc-va-cong-nghe",
    ),
    OfficerPublished(
        officer_id=_OFFICER,
        unit_id=_UNIT,
        name="Đinh Thị Minh Phương",
        title=Text(vi="Công chức một cửa", en="One-stop officer"),
    ),
    EditionPublished(
        edition_id="2017",
        title=Text(
            vi="Khảo sát mức độ hài lòng năm 2017 về dịch vụ hành chính công",
            en="2017 survey of satisfaction with public administrative services",
        ),
        opens_on=date(2017, 3, 1),
        closes_on=date(2017, 12, 31),
        policy=Policy(),
        instrument=Instrument(
            id="two-answer",
            version=1,
            question=Text(vi="Ông/bà đánh giá thế nào về sự phục vụ?", en="How do you rate the service?"),
            answers=(
                AnswerChoice(id="satisfied", text=Text(vi="Hài lòng", en="Satisfied")),
                AnswerChoice(
                    id="not_satisfied",
                    text=Text(vi="Chưa hài lòng", en="Not yet satisfied"),
                    asks_reasons=True,
                ),
            ),
            reasons=(Reason(id="late", text=Text(vi="Trả kết quả trễ hẹn", en="The result came late")),),
        ),
        sealing_key=SealingKey(key_id="2017-1", public_key="1TpNPrkTkYYe1IN7ngkSOIzxtCwaajm4UHHK0WWjDQ8="),
    ),
    RatingSubmitted(
        rating_id=_RATING,
        idempotency_token="5e" * 32,
        edition_id="2017",
        group_id="so-ban-nganh",
        unit_id=_UNIT,
        officer_id=_OFFICER,
        answer="not_satisfied",
        reasons=("late",),
        channel="web",
        language="vi",
        phone=_SEALED,
        phone_pseudonym="a7" * 32,
        challenge=ChallengeAnswer(id="c2VhbGVkLWNoYWxsZW5nZQ", answer="40718"),
        session="3d" * 32,
        origin="91" * 32,
        submitted_at=_SUBMITTED,
    ),
    PhoneCodeEntered(rating_id=_RATING, code=_SEALED, entered_at=_SUBMITTED),
    RatingAccepted(
        submission_id=_SUBMISSION,
        edition_id="2017",
        group_id="so-ban-nganh",
        unit_id=_UNIT,
        officer_id=_OFFICER,
        channel="web",
        submitted_at=_SUBMITTED,
        decided_at=_DECIDED,
        answer="not_satisfied",
        reasons=("late",),
        assurance=Assurance.CAPTCHA,
    ),
    RatingRejected(
        submission_id=_SUBMISSION,
        edition_id="2017",
        group_id="so-ban-nganh",
        unit_id=_UNIT,
        officer_id=_OFFICER,
        channel="web",
        submitted_at=_SUBMITTED,
        decided_at=_DECIDED,
        reason=RejectionReason.CHALLENGE_WRONG,
    ),
    ApiClientPublished(
        client_id="city-portal",
        name="Cổng dịch vụ công thành phố",
        keys=(ApiKey(key_id="city-portal-1", digest="c4" * 32, expires_on=date(2018, 1, 1)),),
        channels=("portal", "qr"),
    ),
    RatingWithdrawalRequested(rating_id=_RATING, requested_at=_WITHDRAWN),
    RatingVoidRequested(
        rating_id=_RATING, wave_id=_WAVE, reason=VoidReason.AUTOMATED, requested_at=_WITHDRAWN
    ),
    RatingWithdrawn(
        submission_id=_SUBMISSION,
        edition_id="2017",
        group_id="so-ban-nganh",
        unit_id=_UNIT,
        officer_id=_OFFICER,
        channel="web",
        submitted_at=_SUBMITTED,
        decided_at=_WITHDRAWN,
        answer="not_satisfied",
        reasons=("late",),
        assurance=Assurance.CAPTCHA,
        accepted_at=_DECIDED,
        kind=Withdrawal.VOIDED,
        reason=VoidReason.AUTOMATED,
        wave_id=_WAVE,
    ),
    WaveVoided(
        wave_id=_WAVE,
        selection=Selection(
            edition_id="2017",
            officer_id=_OFFICER,
            channel="web",
            since=datetime(2017, 11, 23, 2, 0, tzinfo=UTC),
            before=datetime(2017, 11, 23, 3, 0, tzinfo=UTC),
        ),
        reason=VoidReason.AUTOMATED,
        words="Một chương trình gửi hàng loạt trong một giờ.",
        by="Văn phòng khảo sát",
        voided_at=_WITHDRAWN,
    ),
    OfficeActionTaken(
        action="unit_renamed",
        target=f"unit:{_UNIT}",
        actor="5e" * 16,
        role="survey-office",
        via="api",
        changes=(
            DirectoryChange(
                key=f"unit:{_UNIT}",
                change="changed",
                fields=(
                    FieldChange(
                        name="name.vi",
                        before="Sở Bưu chính",
                        after="Sở Thông tin và Truyền thông",
                    ),
                ),
            ),
        ),
        taken_at=_SUBMITTED,
    ),
    PaperFormsIssued(edition_id="2017", officer_id=_OFFICER, first=1201, count=50, issued_at=_SUBMITTED),
    PaperFormEntered(
        number="000012030",
        answer="not_satisfied",
        reasons=("late",),
        given_on=date(2017, 11, 22),
        actor="5e" * 16,
        counted=False,
        entered_at=_SUBMITTED,
    ),
)

_WRITERS = {UnitPublished: "intake", OfficerPublished: "intake", EditionPublished: "intake"}
_WRITERS |= {ApiClientPublished: "intake"}
_WRITERS |= {WaveVoided: "intake", RatingVoidRequested: "intake", RatingWithdrawalRequested: "intake"}
_WRITERS |= {OfficeActionTaken: "intake", PaperFormsIssued: "intake", PaperFormEntered: "intake"}
_WRITERS |= {RatingSubmitted: "intake", PhoneCodeEntered: "intake"}
_WRITERS |= {RatingAccepted: "verification", RatingRejected: "verification", RatingWithdrawn: "verification"}


def envelope(event: Event) -> Envelope[Event]:
    """The example as its writer would send it."""
    return Envelope(
        id=_SUBMISSION
        if isinstance(event, RatingSubmitted)
        else UUID(int=EVENTS.index(event) + 1, version=4),
        source=f"/hailong/{_WRITERS[type(event)]}",
        subject=key_of(event),
        time=_SUBMITTED,
        correlation_id=_SUBMISSION,
        causation_id=_SUBMISSION
        if isinstance(event, RatingAccepted | RatingRejected | RatingWithdrawn)
        else None,
        data=event,
    )
