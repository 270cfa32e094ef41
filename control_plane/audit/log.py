"""Recording acts, in the transaction of each.

Who acts is said once, around the call, and reaches every transaction inside it. What
users do themselves is no entry: for them nobody is said, and nothing is recorded.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from control_plane.audit.model import Actor
from control_plane.base import request_ids
from control_plane.base.database import Connection

_acting: ContextVar[tuple[Actor, str] | None] = ContextVar("acting", default=None)


@contextlib.contextmanager
def acting(actor: Actor, reason: str = "") -> Iterator[None]:
    """What is recorded inside was done by this one, for this reason."""
    token = _acting.set((actor, reason))
    try:
        yield
    finally:
        _acting.reset(token)


def actor() -> Actor | None:
    """Who acts here."""
    acts = _acting.get()
    return None if acts is None else acts[0]


async def record(
    connection: Connection,
    act: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Best as a transaction's last statement: entries are written one after the other,
    so others wait for its commit."""
    acts = _acting.get()
    if acts is None:
        return
    await connection.execute(
        "INSERT INTO audit_log"
        " (actor, act, subject, reason, before, after, request_id)"
        " VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7)",
        str(acts[0]),
        act,
        subject,
        acts[1],
        json.dumps(before or {}, default=str),
        json.dumps(after or {}, default=str),
        request_ids.current(),
    )
