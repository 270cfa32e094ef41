"""The id of the request that is being answered. It stands in the answer, in each log
line, in audit entries and in what nodes are asked because of it."""

import re
import secrets

from structlog.contextvars import bind_contextvars, get_contextvars

HEADER = "X-Request-Id"
#: As proxies make them: some hexadecimal digits, or a UUID. No secret looks like that.
WELL_FORMED = re.compile(r"[0-9a-f]{16,32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def made() -> str:
    return secrets.token_hex(8)


def answering(request_id: str) -> None:
    """From here on this task answers that request."""
    bind_contextvars(request_id=request_id)


def current() -> str:
    """Empty: nobody asked for what is being done."""
    found: str = get_contextvars().get("request_id", "")
    return found
