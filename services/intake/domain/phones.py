"""Vietnamese mobile numbers, however a citizen writes them."""

import re
import unicodedata
from enum import Enum

import phonenumbers

REGION = "VN"
_WRITTEN = re.compile(r"[\d\s+().\-/\u2010-\u2015]{1,40}")


class NotMobile(Enum):
    """Why a text is not a number that a code could be sent to."""

    MISSING = "phone_missing"
    UNREADABLE = "phone_invalid"
    NOT_VIETNAMESE = "phone_not_vietnamese"
    NOT_MOBILE = "phone_not_mobile"


def to_e164(text: str) -> str | NotMobile:  # noqa: PLR0911 - one a rule
    """`0905 123 456`, `+84 905.123.456` or `0084905123456` as `+84905123456`.

    Source of what is a mobile number: Google's libphonenumber metadata for VN.
    """
    text = unicodedata.normalize("NFKC", text).strip()  # keyboards of East Asia write full-width digits
    if not text:
        return NotMobile.MISSING
    if not _WRITTEN.fullmatch(text):
        return NotMobile.UNREADABLE
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return NotMobile.UNREADABLE
    if number.country_code != phonenumbers.country_code_for_region(REGION):
        return NotMobile.NOT_VIETNAMESE
    if not phonenumbers.is_valid_number_for_region(number, REGION):
        return NotMobile.UNREADABLE
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        return NotMobile.NOT_MOBILE
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
