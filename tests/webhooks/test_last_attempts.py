"""What was tried while a process ended stands in the log of deliveries."""

import asyncio

import asyncpg

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.webhooks.model.endpoints import Wish
from control_plane.wiring.services import services
from tests.support.api import APART_FROM_NODES, running
from tests.support.locks import WAITING
from tests.support.log import bonus, new_user
from tests.support.receiver import Receiver
from tests.support.stack import until

WRITES_SINCE = f"""{WAITING.replace("count(*)", "min(query_start)")}
    AND query LIKE '%INSERT INTO webhook_attempts%'
"""
#: A stronger one is a write, behind which the log of events ends for its readers.
LOCK = "LOCK TABLE webhook_attempts IN SHARE ROW EXCLUSIVE MODE"
LOGGED = "SELECT count(*) FROM webhook_attempts WHERE type = 'coins.bonus'"


async def test_what_is_being_written_then_is_written(
    wanted: Settings, quick: None, pool: Pool, hook: Receiver, owner_url: str
) -> None:
    over = asyncio.Event()

    async def serve() -> None:
        async with running(wanted, APART_FROM_NODES):
            await over.wait()

    async def writes_since() -> object:
        return await pool.fetchval(WRITES_SINCE)

    async with services(wanted) as opened:
        await opened.events.webhooks.add(Wish(hook.url))
    serving = asyncio.create_task(serve())
    ann = await new_user(pool)
    await bonus(pool, ann)
    await hook.takes(1)
    by_hand = await asyncpg.connect(owner_url)
    async with by_hand.transaction():
        await by_hand.execute(LOCK)
        await bonus(pool, ann)
        await hook.takes(2)
        first = await until(writes_since)
        over.set()

        async def another_writes() -> bool:
            return serving.done() or await writes_since() not in (None, first)

        await until(another_writes)
    await serving
    assert await pool.fetchval(LOGGED) == 2
    await by_hand.close()
