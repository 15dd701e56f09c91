"""Old major versions come in through these: each lifts the data of one major to the next.

An upcaster sees plain JSON data and returns plain JSON data; it adds what the old version did not say
and never looks anything up.
"""

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]


class NoUpcaster(LookupError):
    """Nobody wrote the step from this major to the next."""


def officer_published_1_to_2(data: Data) -> Data:
    """Version 1 had the title in Vietnamese alone and `active` in place of dates."""
    lifted = {key: value for key, value in data.items() if key not in {"active", "title"}}
    lifted["title"] = {"vi": data["title"], "en": data["title"]}
    if not data.get("active", True):
        lifted["active_until"] = "1970-01-01"
    return lifted


def rating_submitted_1_to_2(data: Data) -> Data:
    """Version 1 always had a phone; nothing else changed its meaning."""
    return data


UPCASTERS: dict[tuple[str, int], Callable[[Data], Data]] = {
    ("officer-published", 1): officer_published_1_to_2,
    ("rating-submitted", 1): rating_submitted_1_to_2,
}


def upcast(name: str, major: int, target: int, data: Data) -> Data:
    """Lift `data` from `major` to `target`. Raises NoUpcaster where a step is missing.

    Raises KeyError, TypeError or AttributeError for data that is not what its major says.
    """
    for step in range(major, target):
        if (name, step) not in UPCASTERS:
            raise NoUpcaster(f"{name} v{step}")
        data = UPCASTERS[name, step](data)
    return data
