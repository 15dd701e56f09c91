"""What the portal counts."""

from prometheus_client import Counter

from chassis.counters import from_zero

KEPT = from_zero(
    Counter(
        "portal_kept_ratings_total",
        "Ratings that a screen kept while it was offline: sent, refused for good, not readable, or to be sent"
        " later.",
        ["result"],
    ),
    ("sent", "refused", "unreadable", "later"),
)
LED, GONE, NOT_OURS = "led", "gone", "not_ours"
SCANNED = from_zero(
    Counter(
        "portal_poster_codes_total",
        "Codes of posters that were opened: led to their place, place gone from the directory, or not ours"
        " (made up, mistyped, or of a retired key).",
        ["result"],
    ),
    (LED, GONE, NOT_OURS),
)
