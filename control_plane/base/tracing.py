"""OpenTelemetry itself; imported only where traces are exported.

A span tells what we named, and numbers: no address, argument, header or text of an
error. That is why the official instrumentations are not used. Those of aiohttp export
whole paths and queries, where keys and tokens are; those of asyncpg and redis the texts
of errors, which quote arguments.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

from asyncpg.connection import LoggedQuery
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter

from control_plane.base.seldom import Seldom

ENDED = Counter("control_plane_spans_ended", "What there was to tell a collector.")
SENT = Counter(
    "control_plane_spans_sent",
    "Of that, what it took: the rest was lost, but for what waits in a queue.",
)
LONGEST_QUERY = 1000  # characters
_w3c = TraceContextTextMapPropagator()


class Tracing:
    def __init__(self, role: str) -> None:
        _say_little()
        self._provider = TracerProvider(
            resource=_resource(role), shutdown_on_exit=False
        )
        self._provider.add_span_processor(_Queue(_Exporter()))
        self._tracer = self._provider.get_tracer("control_plane")

    def close(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()

    def serves(self, name: str, traceparent: str = "") -> Span:
        """``traceparent``: W3C's header, of somebody we trust."""
        parent = _w3c.extract({"traceparent": traceparent}) if traceparent else None
        return self._tracer.start_span(name, parent, SpanKind.SERVER)

    def asks(self, name: str) -> Span:
        """Somebody else, over the network."""
        return self._tracer.start_span(name, kind=SpanKind.CLIENT)

    @contextlib.contextmanager
    def inside(self, span: Span, *, ends: bool = True) -> Iterator[None]:
        quiet = {"record_exception": False, "set_status_on_exception": False}
        with trace.use_span(span, end_on_exit=ends, **quiet):
            try:
                yield
            except BaseException as error:
                self.failed(span, type(error).__name__)
                raise

    @contextlib.contextmanager
    def asking_redis(self, command: str) -> Iterator[None]:
        """Not where nobody waits for it: it would be a trace of its own."""
        if not _inside_one():
            yield
            return
        span = self.asks(command)
        span.set_attribute("db.system.name", "redis")
        with self.inside(span):
            yield

    def asked_postgres(self, done: LoggedQuery) -> None:
        """As ``asking_redis``, afterwards; its arguments are none of our business."""
        if not _inside_one():
            return
        ended = time.time_ns()
        text = " ".join(done.query.split())
        said = {
            "db.system.name": "postgresql",
            "db.query.text": text[:LONGEST_QUERY],
        }
        span = self._tracer.start_span(
            text.partition(" ")[0],
            kind=SpanKind.CLIENT,
            attributes=said,
            start_time=ended - int(done.elapsed * 1e9),
        )
        if done.exception is not None:
            self.failed(span, type(done.exception).__name__)
        span.end(ended)

    def failed(self, span: Span, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(StatusCode.ERROR)

    def headers(self) -> dict[str, str]:
        """They tell who is asked which trace that belongs to."""
        found: dict[str, str] = {}
        _w3c.inject(found)
        return found


class _Queue(BatchSpanProcessor):
    """As long as OTEL_BSP_MAX_QUEUE_SIZE says: the oldest make room for the newest. A
    thread takes them out, so that nobody waits for a collector."""

    def on_end(self, span: ReadableSpan) -> None:
        ENDED.inc()
        super().on_end(span)


class _Exporter(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        done = super().export(spans)
        if done is SpanExportResult.SUCCESS:
            SENT.inc(len(spans))
        return done


def name_in_log(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line


def _inside_one() -> bool:
    """Of those that are exported; its span may have ended."""
    return trace.get_current_span().get_span_context().trace_flags.sampled


def _resource(role: str) -> Resource:
    given = OTELResourceDetector().detect().attributes
    ours = {"service.name": "control-plane", **given, "control_plane.role": role}
    return Resource.create(ours)


def _say_little() -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers = [_Trouble(logging.WARNING)]
    logger.propagate = False


class _Trouble(logging.Handler):
    """OpenTelemetry's own log, once a minute and without what it quotes: the endpoint's
    address and headers may hold a key."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._seldom = Seldom()

    def emit(self, record: logging.LogRecord) -> None:
        args = record.args if isinstance(record.args, tuple) else ()
        kinds = [type(one).__name__ for one in args if isinstance(one, Exception)]
        numbers = [one for one in args if isinstance(one, int)]
        self._seldom.warn("traces", problem=record.msg, because=[*kinds, *numbers])
