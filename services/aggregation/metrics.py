"""What this service measures of itself."""

from prometheus_client import Counter, Gauge, Histogram

from chassis.counters import from_zero
from chassis.dead_letters.reasons import UNREADABLE

OUTCOMES = Counter(
    "aggregation_outcomes_total",
    "Outcomes read, by what became of them: counted, repeated (its submission was counted before).",
    ["result"],
)
BATCH_SIZE = Histogram(
    "aggregation_batch_records", "Records in a batch.", buckets=(1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
)
BATCH_SECONDS = Histogram(
    "aggregation_batch_duration_seconds",
    "Time to count a batch: one database transaction, with any wait for an outage.",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
)
AGE = Histogram(
    "aggregation_outcome_age_seconds",
    "Time from the submission of a rating to its figures being committed. One by SMS waits for its citizen.",
    ["phone_code"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3_600, 86_400),
)
LAG = Gauge(
    "aggregation_lag_records",
    "Offsets between the checkpoint and the end of a partition, without what holds no records.",
    ["partition"],
)
DEAD_LETTERS = from_zero(
    Counter("aggregation_dead_letters_total", "Messages that can never be read.", ["reason"]), UNREADABLE
)
STREAMS = Gauge("aggregation_live_clients", "Live streams open.")
DROPPED = Counter(
    "aggregation_live_clients_dropped_total",
    "Live streams ended because what was sent to them piled up. Where little is sent, the kernel ends them.",
)
EVENTS = Counter("aggregation_live_events_total", "Events queued for live streams.")
