"""What operators scrape, on the internal listener only. No label holds a path, a
user or a secret: their number would grow without end."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Metric,
    generate_latest,
)
from prometheus_client.core import HistogramMetricFamily

QUICK = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
USUAL = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Durations:
    """A histogram of seconds for hot paths: no lock, since only the event loop's
    thread counts, and one addition for each observation."""

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._bounds = bounds
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        REGISTRY.register(self)

    def add(self, labels: tuple[str, ...], seconds: float) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
            self._sums[labels] = 0.0
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[labels] += seconds

    def collect(self) -> Iterator[Metric]:
        found = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        names = [*map(str, self._bounds), "+Inf"]
        for labels, counts in self._counts.items():
            buckets = list(zip(names, accumulate(counts), strict=True))
            found.add_metric(labels, buckets, self._sums[labels])
        yield found


AUTH_ANSWERS = Counter(
    "control_plane_auth_answers_total",
    "Answers to MediaMTX's auth calls.",
    ["action", "reason"],
)
_auth_answers = cache(AUTH_ANSWERS.labels)  # looking labels up costs more than inc()
AUTH_DURATIONS = Durations(
    "control_plane_auth_duration_seconds",
    "From a node's auth call, once read, to its answer.",
    ("answer",),
    QUICK,
)
WRONG_SECRETS = Counter(
    "control_plane_wrong_node_secrets_total",
    "Calls with a wrong secret, by the node in whose name they came; ?: of no node.",
    ["node"],
)
HOOKS = Counter(
    "control_plane_hooks_total", "Lifecycle messages from nodes.", ["event"]
)
REQUESTS = Counter(
    "control_plane_requests_total",
    "Requests by listener, route and outcome: ok, refused, away (a store), failed, or"
    " left (by the client).",
    ["listener", "route", "outcome"],
)
_requests = cache(REQUESTS.labels)
REQUEST_DURATIONS = Durations(
    "control_plane_request_duration_seconds",
    "From a request's head to the end of its answer; event streams are not in it.",
    ("listener", "route"),
    USUAL,
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
STORE_NOTICES_REFUSED = Counter(
    "control_plane_store_notices_refused_total",
    "Notices of refunds that were not believed: another_app (the app store's, but not"
    " of the app in the settings), not_signed (by nobody, or a stranger).",
    ["reason"],
)


def count_auth(action: str, reason: str) -> None:
    _auth_answers(action, reason).inc()


def count_request(listener: str, route: str, outcome: str) -> None:
    _requests(listener, route, outcome).inc()


def exposition() -> tuple[bytes, str]:
    """All of this process, and the content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
