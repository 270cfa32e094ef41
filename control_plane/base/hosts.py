"""Connecting to Postgres. A URL may name several servers, of which one is the primary:
``postgresql://user@one:5432,two:5432/name``."""

from functools import cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from control_plane.base.faults import Away

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PRIMARY = "target_session_attrs=read-write"
#: Postgres is away, full, too slow, or a standby that takes no writes. The driver's
#: internal error: a connection that ended while its answer was read, or no host that
#: takes writes.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,
)


async def connect(url: str, within: float = 5.0, **options: Any) -> Connection:
    """``within``: seconds. Each host has its share of them, so that one which says
    nothing at all does not keep us from the next. Raises Away."""
    hosts = _hosts(url)
    wrong = []
    for host in tuple(hosts):
        share = within / len(hosts)
        try:
            opened: Connection = await asyncpg.connect(host, timeout=share, **options)
        except AWAY as error:
            wrong.append(f"{_name(host)}: {error!r}")
        else:
            hosts.sort(key=host.__ne__)
            return opened
    raise Away(f"Postgres: {'; '.join(wrong)}")


def names_several(url: str) -> bool:
    return len(_hosts(url)) > 1


async def primary(url: str) -> str:
    """The URL of the one that takes writes now. Raises Away."""
    await (await connect(url)).close()
    return _hosts(url)[0]


@cache
def _hosts(url: str) -> list[str]:
    """A URL for each, the last that was good first. Of several the primary is wanted,
    if nothing else is said."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return [url]
    query = parts.query
    if "target_session_attrs=" not in query:
        query = f"{query}&{PRIMARY}" if query else PRIMARY
    return [
        urlunsplit(parts._replace(netloc=user + at + host, query=query))
        for host in hosts.split(",")
    ]


def _name(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "socket"
