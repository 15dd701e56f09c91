"""The number of a paper form: eight digits that count up, and a check digit.

The check digit is Damm's: every single wrong digit shows, and every two neighbours that were exchanged.
Source: H. M. Damm, Total anti-symmetrische Quasigruppen, 2004 (the quasigroup of order 10).
"""

import unicodedata

DIGITS = 8
MOST = 10**DIGITS - 1
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def written(count: int) -> str:
    """The number of the form that is the `count`-th: nine digits."""
    digits = f"{count:0{DIGITS}}"
    return digits + str(_check(digits))


def read(typed: str) -> str | None:
    """A number as it is compared, however it is spaced, and without the zeros that a spreadsheet takes away;
    None for what is no number of a form."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", typed) if c not in " .-\u2013").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS + 1):
        return None
    digits = digits.zfill(DIGITS + 1)
    return digits if _check(digits) == 0 and int(digits) else None


def count_of(number: str) -> int:
    """Without the check digit."""
    return int(number[:-1])


def _check(digits: str) -> int:
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return state
