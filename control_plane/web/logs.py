"""JSON lines on stderr; readable ones in development. Never a key, token or query."""

import logging
import sys

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from control_plane.base import traces

log = structlog.get_logger(__name__)

#: What a client's bytes, or its going away, may cause.
CLIENTS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


def set_up(level: str, *, readable: bool) -> None:
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if readable
        else structlog.processors.JSONRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if traces.wanted():
        from control_plane.base.tracing import name_in_log

        processors.append(name_in_log)
    if not readable:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_OfLibraries()])


class _OfLibraries(logging.Handler):
    """What they say, from a warning on, in lines like ours."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        told = {"library": record.name, "said": record.getMessage()}
        if record.levelno >= logging.ERROR:
            log.error("a library says", **told, exc_info=error)
        elif error is None:
            log.warning("a library says", **told)
        else:
            log.warning("a library says", **told, error=repr(error))


def of_http() -> logging.Logger:
    """aiohttp's logger. It writes whole request lines and headers, which may hold a
    token; here only the kind of what is wrong with a client's bytes gets through."""
    logger = logging.Logger("http")
    logger.addHandler(_Http())
    return logger


class _Http(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, CLIENTS):
            log.debug("a request that cannot be read", kind=type(error).__name__)
        elif record.levelno >= logging.ERROR:
            log.error("http failed", exc_info=error)
