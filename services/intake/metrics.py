"""What operators watch. No label ever holds anything about a person."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from chassis.counters import from_zero
from chassis.dead_letters.reasons import UNREADABLE
from services.intake.domain.limits import BOOKS

ACCEPTED = Counter("intake_submissions_total", "Answers 202: the log has the submission.", ["channel"])
REFUSED = Counter("intake_refused_total", "Submissions not taken in.", ["problem"])
APPEND_SECONDS = Histogram(
    "intake_append_seconds",
    "Time until the log confirmed a message, or did not.",
    ["confirmed"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
IN_FLIGHT = Gauge("intake_appends_in_flight", "Messages sent that the log has not confirmed yet.")
PRODUCERS = Counter("intake_producers_replaced_total", "Producers given up after a failure or a time-out.")
DIRECTORY_DEAD_LETTERS = from_zero(
    Counter("intake_directory_dead_letters_total", "Directory messages that can never be read.", ["reason"]),
    UNREADABLE,
)
LIMITED = Counter("intake_limited_total", "Answers 429, by the limit that was reached.", ["limit"])
ALARMS = from_zero(
    Counter(
        "intake_alarms_total", "Unusually many ratings of an officer, in an edition or with a phone.", ["of"]
    ),
    (alarm.name for book in BOOKS for alarm in book.alarms),
)
TAIL_RECORDS = Counter(
    "intake_tail_records_total", "Submissions read back from the log to be counted.", ["counted"]
)


@cache
def append_seconds(confirmed: bool) -> Histogram:
    return APPEND_SECONDS.labels(str(confirmed).lower())


@cache
def accepted(channel: str) -> Counter:
    """Looked up once: labels cost more than counting."""
    return ACCEPTED.labels(channel)
