"""Who waits for a lock, in the test's own database: others share the server."""

import asyncio

from control_plane.base.database import Executor
from tests.support.stack import until

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def held_up(executor: Executor, task: "asyncio.Task[object]") -> None:
    """Until it waits for a lock, or has ended without one. Not in a transaction, which
    sees what it saw first."""

    async def so() -> bool:
        return task.done() or bool(await executor.fetchval(WAITING))

    await until(so)
