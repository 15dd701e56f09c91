"""What operators watch. No label ever holds anything about a person."""

from prometheus_client import Counter, Gauge, Histogram

from chassis.counters import from_zero
from chassis.dead_letters.reasons import UNREADABLE
from contracts.events import Withdrawal
from services.verification.domain.sending import Cause

DECISIONS = Counter("verification_decisions_total", "Ratings decided.", ["outcome", "reason"])
WITHDRAWALS = from_zero(
    Counter("verification_withdrawals_total", "Accepted ratings that count no more, by who says so.", ["by"]),
    Withdrawal,
)
PHONE_CODES = Counter("verification_phone_codes_total", "Phone codes asked for.")
IGNORED = Counter(
    "verification_messages_ignored_total",
    "Repetitions, phone codes for nothing that awaits one, withdrawals of what does not count.",
)
BATCH_SIZE = Histogram(
    "verification_batch_messages", "Messages in a batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
BATCH_SECONDS = Histogram("verification_batch_seconds", "From a batch read to its outcomes committed.")
TORN = Counter(
    "verification_transactions_unsure_total", "Kafka transactions that failed or whose result is unknown."
)
LOST = Counter("verification_partitions_lost_total", "Partitions found to be another worker's.")
DEAD_LETTERS = from_zero(
    Counter("verification_dead_letters_total", "Messages that can never be read.", ["reason"]), UNREADABLE
)
LAG = Gauge("verification_lag_messages", "Messages not yet decided.", ["partition"])
SMS = from_zero(
    Counter("verification_sms_total", "Tries to send an SMS, by what became of them.", ["result"]),
    ("sent", "failed", "given_up"),
)
SMS_WITHHELD = from_zero(
    Counter("verification_sms_withheld_total", "SMS over a limit, not sent.", ["cause"]), Cause
)
SMS_BUDGET_USED = Gauge("verification_sms_budget_used_ratio", "Share of the day's SMS that have been sent.")
WEBHOOKS = from_zero(
    Counter(
        "verification_webhooks_total",
        "Tries to tell a portal an outcome, by what became of them.",
        ["result"],
    ),
    ("told", "failed", "set_aside"),
)
WEBHOOKS_WAITING = Gauge("verification_webhooks_waiting", "Outcomes that a portal is still to be told.")
WEBHOOKS_SET_ASIDE = Gauge(
    "verification_webhooks_set_aside", "Outcomes that a portal did not take for a day; nobody tries any more."
)
CHALLENGES = Counter("verification_challenges_total", "Challenges issued.")
WAITERS = Gauge("verification_outcome_waiters", "Callers waiting for an outcome.")
FORGOTTEN = Counter("verification_forgotten_total", "Rows forgotten in time.", ["what"])
