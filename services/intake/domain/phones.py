"""Vietnamese mobile numbers, however a citizen writes them."""

import re
import unicodedata
from enum import Enum
from typing import Any

import phonenumbers

REGION, COUNTRY = "VN", "+84"
_USUAL = re.compile(r"0(?:[ .-]?[0-9]){9}")
"""How nearly everybody writes it: `0905123456`, `0905 123 456`, `090.512.3456`."""
_METADATA: Any = phonenumbers.PhoneMetadata.metadata_for_region(REGION)
_MOBILE: re.Pattern[str] = re.compile(_METADATA.mobile.national_number_pattern)
_SEPARATORS = str.maketrans("", "", " .-")
_WRITTEN = re.compile(r"[\d\s+().\-/\u2010-\u2015]{1,40}")


class NotMobile(Enum):
    """Why a text is not a number that a code could be sent to."""

    MISSING = "phone_missing"
    UNREADABLE = "phone_invalid"
    NOT_VIETNAMESE = "phone_not_vietnamese"
    NOT_MOBILE = "phone_not_mobile"


def to_e164(text: str) -> str | NotMobile:
    """`0905 123 456`, `+84 905.123.456` or `0084905123456` as `+84905123456`.

    Source of what is a mobile number: Google's libphonenumber metadata for VN.
    """
    if _USUAL.fullmatch(text):
        # The library's own pattern, a tenth of its work; what it does not take, the library judges.
        national = text.translate(_SEPARATORS)[1:]
        if _MOBILE.fullmatch(national):
            return COUNTRY + national
    return by_library(text)


def by_library(text: str) -> str | NotMobile:  # noqa: PLR0911 - one a rule
    """The same, whatever the spelling."""
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
