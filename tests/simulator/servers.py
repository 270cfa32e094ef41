"""A Postgres and a Valkey of a worker's own: transactions of others would change what
is complete in the log, and so the story."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from control_plane.base.schema import migrate
from deploy.local import postgres
from deploy.local.place import DATABASE, OWNER, Place, find_place
from deploy.local.valkey import valkey
from tests.simulator.clock import EPOCH
from tests.simulator.postgres import CLOCK, PREPARED, WATCHED

SETTINGS = {
    "autovacuum": "off",
    "deadlock_timeout": "1h",  # we find circles ourselves, always in the same order
    "max_connections": "60",
    "shared_buffers": "32MB",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",  # whatever was asked before
    "synchronous_commit": "off",
}


@dataclass(frozen=True)
class Servers:
    url: str
    admin: str
    folder: Path
    valkey: tuple[str, int]
    password: str


@contextlib.asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    data = folder / "postgres"
    async with (
        postgres.server(data, durable=False, settings=SETTINGS) as (urls, _),
        valkey(folder / "valkey", durable=False) as redis,
    ):
        place = find_place(data)
        admin = place.url("postgres")
        await _prepare(place, admin, urls.owner, urls.service)
        parts = urlsplit(redis)
        yield Servers(
            urls.service,
            admin,
            place.cluster,
            (parts.hostname or "", parts.port or 0),
            parts.password or "",
        )


async def _prepare(place: Place, admin: str, owner: str, service: str) -> None:
    clock = place.cluster / CLOCK
    clock.write_text(f"{int(EPOCH * 1e6):016}")
    clock.chmod(0o644)
    connection = await asyncpg.connect(admin)
    await connection.execute(PREPARED)
    await connection.execute(
        f"ALTER DATABASE {DATABASE} SET search_path = public, pg_catalog"
    )
    await connection.execute(f"GRANT ALL ON SCHEMA public TO {OWNER}")
    await connection.close()
    await migrate(owner, service)
    connection = await asyncpg.connect(owner)
    await connection.execute(WATCHED)
    await connection.close()
