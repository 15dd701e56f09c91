"""Every event of the system, as frozen models.

An event class states its `NAME` and `VERSION` (major, minor). A minor version only adds optional fields;
anything else is a new major, with an upcaster from the one before (`contracts.upcasters`).
Readers ignore fields they do not know. Codes that may grow (channels, reasons, assurance) are open strings
in the schema, so that a new one never breaks an old reader.
"""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import Base64, Code, Day, Hex128, Hex256, Identifier, Instant, Integer, Plain, Short


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Text(Frozen):
    """A text in every language the survey speaks."""

    vi: Short
    en: Short


class Event(Frozen):
    """A past-tense fact."""

    NAME: ClassVar[str]
    VERSION: ClassVar[tuple[int, int]]


# --- directory -----------------------------------------------------------------------------------------


class UnitPublished(Event):
    """A department or a local government, as it stands from now on."""

    NAME = "unit-published"
    VERSION = (1, 1)

    unit_id: Identifier
    name: Text
    group_id: Identifier
    group_name: Text
    group_position: Integer = Field(0, ge=0, description="Order of the group among groups.")
    position: Integer = Field(0, ge=0, description="Order within the group; ties go by name.")
    opened_on: Day | None = None
    closed_on: Day | None = Field(None, description="First day on which the unit takes no ratings.")
    merged_into: Identifier | None = Field(None, description="The unit that took over on that day.")


class OfficerPublished(Event):
    """A one-stop officer, as they stand from now on."""

    NAME = "officer-published"
    VERSION = (2, 0)

    officer_id: Identifier
    unit_id: Identifier
    name: Short
    title: Text
    sample: bool = Field(False, description="Made up for demonstration; shown as such.")
    position: Integer = Field(0, ge=0)
    active_from: Day | None = None
    active_until: Day | None = Field(None, description="First day on which the officer takes no ratings.")


class VerificationPolicy(StrEnum):
    CAPTCHA = "captcha"
    PHONE = "phone"
    CAPTCHA_AND_PHONE = "captcha_and_phone"

    @property
    def asks_challenge(self) -> bool:
        return self is not VerificationPolicy.PHONE

    @property
    def asks_phone_code(self) -> bool:
        return self is not VerificationPolicy.CAPTCHA


class ProofOfWork(StrEnum):
    """Whether the citizen's device computes for a rating, unseen, and what for."""

    NONE = "none"
    BESIDE = "beside"
    INSTEAD = "instead"


class Vouching(StrEnum):
    """Who stands for a rating in place of code and phone: a device of the office's, or who entered a form."""

    DEVICE = "device"
    PAPER = "paper"


class FileNumbers(StrEnum):
    """Whether a rating names the file (mã hồ sơ) it is about; the office's file system is asked for it."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ScaleKind(StrEnum):
    """How the answers to a scale's questions are summed up."""

    POINTS = "points"  # the mean points of each question, and their sum
    LEVELS = "levels"  # how many chose each level


class Publication(Frozen):
    """What the public sees, and when. Units and above move at once."""

    officer_batch: Integer = Field(
        5, ge=1, description="An officer's figures move when so many more ratings have been accepted,"
    )
    officer_hour: Integer = Field(
        7, ge=0, le=23, description="or at this hour, city time, of the day after the last of them."
    )
    suppress_below: Integer = Field(5, ge=1, description="Figures of fewer ratings are not shown.")


class Policy(Frozen):
    verification: VerificationPolicy = VerificationPolicy.CAPTCHA
    duplicate_window_days: Integer = Field(
        1, ge=1, description="One accepted rating per phone, officer and window of so many city days."
    )
    phone_retention_days: Integer = Field(
        90, ge=1, description="How long submissions, and so sealed phones, are kept."
    )
    proof_of_work: ProofOfWork = Field(
        ProofOfWork.NONE,
        description="Asked for beside the image code, or instead of it; who cannot compute enters the code.",
    )
    publication: Publication = Publication()
    vouching: tuple[Vouching, ...] = Field(
        (), description="Who can stand for a rating in place of code and phone."
    )
    file_numbers: FileNumbers = Field(
        FileNumbers.NONE, description="Whether the number of the citizen's file is asked for."
    )
    asks_respondent: bool = Field(False, description="Whether a citizen or an organisation rates.")


class AnswerChoice(Frozen):
    id: Code
    text: Text
    asks_reasons: bool = False
    reasons_optional: bool = Field(False, description="Whether it can be given without a reason.")


class Reason(Frozen):
    id: Code
    text: Text
    answers: tuple[Code, ...] = Field((), description="What it explains; none: each answer that asks.")


class ScaleChoice(Frozen):
    id: Code
    text: Text
    points: Integer = Field(ge=0)


class ScaleQuestion(Frozen):
    id: Code
    text: Text
    choices: tuple[ScaleChoice, ...] = Field(min_length=2)

    def choice(self, choice_id: str) -> ScaleChoice | None:
        return next((choice for choice in self.choices if choice.id == choice_id), None)


class Scale(Frozen):
    """Further questions that are summed up together. Nobody has to answer them."""

    id: Code
    title: Text
    kind: ScaleKind
    questions: tuple[ScaleQuestion, ...] = Field(min_length=1)


class Instrument(Frozen):
    """What is asked: data, so that another survey needs no other code."""

    id: Identifier
    version: Integer = Field(ge=1)
    question: Text
    answers: tuple[AnswerChoice, ...] = Field(min_length=2)
    reasons: tuple[Reason, ...]
    scales: tuple[Scale, ...] = Field((), description="What is asked beside the one question.")

    def answer(self, answer_id: str) -> AnswerChoice | None:
        return next((choice for choice in self.answers if choice.id == answer_id), None)


class SealingKey(Frozen):
    """The public half of an edition's key: anyone can seal, only verification can open."""

    key_id: Identifier
    public_key: Base64 = Field(description="32 bytes, X25519, for a libsodium sealed box.")


class EditionPublished(Event):
    """One run of the survey: what is asked, when, and how a rating is verified."""

    NAME = "edition-published"
    VERSION = (1, 2)

    edition_id: Identifier
    title: Text
    opens_on: Day
    closes_on: Day = Field(description="Last day, city time, on which ratings are taken.")
    policy: Policy
    instrument: Instrument
    sealing_key: SealingKey


class ApiKey(Frozen):
    """What proves a client, as a digest: the key itself is random, so a plain digest cannot be reversed."""

    key_id: Identifier
    digest: Hex256 = Field(description="SHA-256 of the key, which has at least 128 bits of chance.")
    expires_on: Day | None = Field(None, description="First day, city time, on which it is refused.")


class ApiClientPublished(Event):
    """Who may post ratings on citizens' behalf, and through which channels, from now on."""

    NAME = "api-client-published"
    VERSION = (1, 1)

    client_id: Identifier
    name: Short
    keys: tuple[ApiKey, ...] = Field(description="Several while a new one takes over; none: shut out.")
    channels: tuple[Code, ...] = Field(description="The channels that its ratings may carry.")
    vouches: bool = Field(False, description="Whether it stands for its ratings, where the policy lets it.")


class Selection(Frozen):
    """Which submissions a wave is made of: all that fit everything that is said here."""

    edition_id: Identifier
    unit_id: Identifier | None = None
    officer_id: Identifier | None = None
    channel: Code | None = None
    client_id: Identifier | None = None
    origin: Hex256 | None = Field(None, description="The address block, as in `rating-submitted`.")
    session: Hex256 | None = None
    form: Identifier | None = Field(None, description="The number of a paper form.")
    since: Instant = Field(description="Submitted then or later,")
    before: Instant = Field(description="and before that.")


class WaveVoided(Event):
    """The office takes a wave of ratings out of the figures: which, why, and who decided it."""

    NAME = "wave-voided"
    VERSION = (1, 1)

    wave_id: UUID
    selection: Selection
    reason: Code
    words: Annotated[Plain, StringConstraints(min_length=1, max_length=1000)]
    by: Short
    voided_at: Instant


# --- office-actions ------------------------------------------------------------------------------------

Key = Annotated[Plain, StringConstraints(min_length=1, max_length=200)]
Value = Annotated[Plain, StringConstraints(max_length=500)]


class FieldChange(Frozen):
    """One field of an event of the directory, before and after; an officer's name is left out."""

    name: Key
    before: Value | None = None
    after: Value | None = None


class DirectoryChange(Frozen):
    """What became of one entry of the directory."""

    key: Key = Field(description="Its key on `directory`.")
    change: Code = Field(description="added, changed, moved, closed or removed; more may come.")
    fields: tuple[FieldChange, ...] = Field((), description="Of what was there before; none for the new.")


class OfficeActionTaken(Event):
    """Who changed the directory or an edition, when and how. Written together with the change itself."""

    NAME = "office-action-taken"
    VERSION = (1, 0)

    action: Code
    target: Key = Field(description="What it was done to: a key of `directory`, or `directory`.")
    actor: Hex128 = Field(description="A digest of who: their provider's `iss` and `sub`, or an operator.")
    role: Identifier
    via: Code = Field(description="`api`, or `command` on a machine of the operators'.")
    changes: tuple[DirectoryChange, ...]
    digest: Hex256 | None = Field(None, description="Of the preview that was applied, of an import.")
    taken_at: Instant


class ScaleAnswer(Frozen):
    scale: Code
    question: Code
    choice: Code


class PaperFormsIssued(Event):
    """Numbers for forms that are printed for an officer: a run of them, each for one form."""

    NAME = "paper-forms-issued"
    VERSION = (1, 0)

    edition_id: Identifier
    officer_id: Identifier
    first: Integer = Field(ge=1, description="The first number of the run, without its check digit.")
    count: Integer = Field(ge=1)
    issued_at: Instant


class PaperFormEntered(Event):
    """What somebody of the office read on a form, beside the action that says where they did it."""

    NAME = "paper-form-entered"
    VERSION = (1, 0)

    number: Identifier = Field(description="As it is printed, with its check digit.")
    answer: Code
    reasons: tuple[Code, ...] = ()
    scale_answers: tuple[ScaleAnswer, ...] = ()
    given_on: Day = Field(description="The day that is written on the form.")
    actor: Hex128 = Field(description="As in `office-action-taken`.")
    counted: bool = Field(description="Whether the rating was sent in the same transaction: for good.")
    entered_at: Instant


# --- rating-submissions --------------------------------------------------------------------------------


class Sealed(Frozen):
    """A libsodium sealed box: readable by verification alone, and by nobody once the key is destroyed."""

    key_id: Identifier
    box: Base64


class ChallengeAnswer(Frozen):
    id: Annotated[Plain, StringConstraints(min_length=1, max_length=1024)]
    answer: Annotated[Plain, StringConstraints(min_length=1, max_length=32)]


class PaperForm(Frozen):
    """A filled-in form that the office entered."""

    number: Identifier
    entered_by: tuple[Hex128, ...] = Field(min_length=1, description="As in `office-action-taken`.")


class RatingSubmitted(Event):
    """A citizen's rating as intake took it; the event id is the submission id."""

    NAME = "rating-submitted"
    VERSION = (2, 0)

    rating_id: UUID = Field(description="What the citizen holds to ask for the outcome.")
    idempotency_token: Hex256 = Field(description="Keyed digest of the caller's Idempotency-Key.")
    edition_id: Identifier
    group_id: Identifier
    unit_id: Identifier
    officer_id: Identifier
    answer: Code
    reasons: tuple[Code, ...] = ()
    channel: Code
    language: Code
    scale_answers: tuple[ScaleAnswer, ...] = ()
    respondent: Code = Field("citizen", description="Or `organisation`.")
    deciding_unit_id: Identifier | None = Field(
        None, description="Who decided about the file, where it was not the unit that took it in."
    )
    phone: Sealed | None = Field(None, description="None only of a rating that somebody vouches for.")
    phone_pseudonym: Hex256 | None = Field(
        None, description="HMAC of the number under the edition's key; finds duplicates."
    )
    file_pseudonym: Hex256 | None = Field(
        None, description="The same of the number of a file that the office's system confirmed."
    )
    vouched_by: Vouching | None = Field(None, description="Of a device, `client_id` says which.")
    form: PaperForm | None = None
    challenge: ChallengeAnswer | None = None
    proof_of_work: Annotated[Plain, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None, description="The solution as the device gave it, in ALTCHA's encoding."
    )
    client_id: Identifier | None = Field(None, description="Who posted it on the citizen's behalf.")
    session: Hex256 | None = Field(
        None, description="Keyed digest of the visit it came from; for limits, and forgotten with the day."
    )
    origin: Hex256 | None = Field(
        None, description="Keyed digest of the address block it came from, under a key of the day."
    )
    submitted_at: Instant = Field(description="When the citizen gave it: on a device, before it was sent.")


class PhoneCodeEntered(Event):
    """A citizen's try at the code that was sent to their phone."""

    NAME = "phone-code-entered"
    VERSION = (1, 0)

    rating_id: UUID
    code: Sealed
    entered_at: Instant


class RatingWithdrawalRequested(Event):
    """Who holds a rating's receipt takes it back; the receipt itself is nowhere."""

    NAME = "rating-withdrawal-requested"
    VERSION = (1, 0)

    rating_id: UUID
    requested_at: Instant


class VoidReason(StrEnum):
    """Why the office takes a wave of ratings out of the figures."""

    AUTOMATED = "automated"
    COORDINATED = "coordinated"
    CLIENT_MISUSED = "client_misused"
    MISTAKE = "mistake"
    OTHER = "other"


class RatingVoidRequested(Event):
    """The office takes a rating out of the figures, as one of a wave (`wave-voided`)."""

    NAME = "rating-void-requested"
    VERSION = (1, 0)

    rating_id: UUID
    wave_id: UUID
    reason: Code
    requested_at: Instant


# --- rating-outcomes -----------------------------------------------------------------------------------


class RejectionReason(StrEnum):
    CHALLENGE_WRONG = "challenge_wrong"
    CHALLENGE_EXPIRED = "challenge_expired"
    CHALLENGE_USED = "challenge_used"
    CHALLENGE_INVALID = "challenge_invalid"
    PROOF_OF_WORK_EXPIRED = "proof_of_work_expired"
    PROOF_OF_WORK_USED = "proof_of_work_used"
    PROOF_OF_WORK_INVALID = "proof_of_work_invalid"
    DUPLICATE = "duplicate"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    PHONE_CODE_WRONG = "phone_code_wrong"
    EXPIRED = "expired"
    EDITION_CLOSED = "edition_closed"
    PHONE_UNREADABLE = "phone_unreadable"
    VOUCHING_REFUSED = "vouching_refused"


class Assurance(StrEnum):
    """What stood behind an accepted rating."""

    CAPTCHA = "captcha"
    PROOF_OF_WORK = "proof_of_work"
    CAPTCHA_AND_PROOF_OF_WORK = "captcha_and_proof_of_work"
    PHONE_CODE = "phone_code"
    CAPTCHA_AND_PHONE_CODE = "captcha_and_phone_code"
    PROOF_OF_WORK_AND_PHONE_CODE = "proof_of_work_and_phone_code"
    CAPTCHA_AND_PROOF_OF_WORK_AND_PHONE_CODE = "captcha_and_proof_of_work_and_phone_code"
    DEVICE = "device"
    PAPER = "paper"
    FILE = "file"  # the office's system knows the file; beside it, whatever the policy asks for


class Outcome(Event):
    """What all outcomes say. No personal data, and nothing that a citizen holds."""

    submission_id: UUID
    edition_id: Identifier
    group_id: Identifier
    unit_id: Identifier
    officer_id: Identifier
    channel: Code
    submitted_at: Instant
    decided_at: Instant


class Counted(Outcome):
    """What a rating counts as."""

    answer: Code
    reasons: tuple[Code, ...] = ()
    assurance: Code
    scale_answers: tuple[ScaleAnswer, ...] = ()
    respondent: Code = "citizen"
    deciding_unit_id: Identifier | None = None


class RatingAccepted(Counted):
    """A rating that counts."""

    NAME = "rating-accepted"
    VERSION = (1, 1)


class RatingRejected(Outcome):
    """A rating that does not count, and why; how it was answered stays out."""

    NAME = "rating-rejected"
    VERSION = (1, 0)

    reason: Code


class Withdrawal(StrEnum):
    """Who took an accepted rating out of the figures."""

    CITIZEN = "citizen"
    VOIDED = "voided"


class RatingWithdrawn(Counted):
    """An accepted rating that does not count any more, with what it counted as. `decided_at`: since when."""

    NAME = "rating-withdrawn"
    VERSION = (1, 1)

    accepted_at: Instant = Field(description="`decided_at` of its acceptance.")
    kind: Code
    reason: Code | None = Field(None, description="Of a voided one: why.")
    wave_id: UUID | None = Field(None, description="Of a voided one: with which others.")


EVENTS: tuple[type[Event], ...] = (
    UnitPublished,
    OfficerPublished,
    EditionPublished,
    ApiClientPublished,
    OfficeActionTaken,
    PaperFormsIssued,
    PaperFormEntered,
    RatingSubmitted,
    PhoneCodeEntered,
    RatingWithdrawalRequested,
    RatingVoidRequested,
    RatingAccepted,
    RatingRejected,
    RatingWithdrawn,
    WaveVoided,
)
