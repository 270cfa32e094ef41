"""Whether there are OpenTelemetry traces: where an endpoint for them is configured, in
OpenTelemetry's own variables. Elsewhere nothing of it is imported, and nothing is done
because of it."""

import contextlib
import os
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control_plane.base.tracing import Tracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
SENT_WITHIN = 2.0  # seconds, at the end: whoever is restarted is waited for

_current: "Tracing | None" = None


def current() -> "Tracing | None":
    """None: nothing is traced."""
    return _current


def configured() -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(os.environ.get(name) for name in ENDPOINTS)


def missing() -> bool:
    """Configured without its packages. Platforms set the variables for all that runs
    there, so a service that goes on is better than none."""
    return configured() and not _installed()


def wanted() -> bool:
    return configured() and _installed()


@contextlib.contextmanager
def exported(role: str) -> Iterator[None]:
    """From a process that forks no more: a thread sends them. What is left is sent at
    the end, unless nobody takes it."""
    global _current
    if not wanted():
        yield
        return
    from control_plane.base.tracing import Tracing

    _current = made = Tracing(role)
    try:
        yield
    finally:
        _current = None
        last = threading.Thread(target=made.close, daemon=True)
        last.start()
        last.join(SENT_WITHIN)


def _installed() -> bool:
    try:
        return all(find_spec(name) for name in PACKAGES)
    except ModuleNotFoundError:
        return False
