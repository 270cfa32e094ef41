"""What operators scrape, on the internal listener only. No label holds a path, a
user or a secret: their number would grow without end."""

from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, generate_latest

AUTH_ANSWERS = Counter(
    "control_plane_auth_answers_total",
    "Answers to MediaMTX's auth calls.",
    ["action", "reason"],
)
_auth_answers = cache(AUTH_ANSWERS.labels)  # looking labels up costs more than inc()
HOOKS = Counter(
    "control_plane_hooks_total", "Lifecycle messages from nodes.", ["event"]
)
LEDGER_FAULTS = Gauge(
    "control_plane_ledger_faults",
    "Rows that break a rule of the ledger, at the last look. Must be zero.",
    ["check"],
)
LEDGER_CHECKED = Gauge(
    "control_plane_ledger_checked_timestamp_seconds",
    "When the ledger was last read whole.",
)


def count_auth(action: str, reason: str) -> None:
    _auth_answers(action, reason).inc()


def exposition() -> tuple[bytes, str]:
    """All of this process, and the content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
