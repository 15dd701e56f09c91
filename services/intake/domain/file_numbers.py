"""Numbers of files (mã hồ sơ), however a citizen copies them from the slip."""

import re
import unicodedata

_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_NUMBER = re.compile(r"[A-Z0-9Đ](?:[A-Z0-9Đ./_-]{1,58})[A-Z0-9Đ]")


def normalised(text: str) -> str | None:
    """`000.00.19.h26 – 261123-0042` as `000.00.19.H26-261123-0042`; None for what is none."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    number = "".join(text.split()).upper()
    return number if _NUMBER.fullmatch(number) else None
