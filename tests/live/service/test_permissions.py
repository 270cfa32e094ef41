"""What auth remembers of a path, while that changes again and again."""

import asyncpg

from control_plane.base.database import Pool
from control_plane.live.service.permissions import Permissions
from tests.support.locks import WAITING
from tests.support.stack import until

OFTEN = 20


async def test_a_path_that_changes_all_the_time_is_read_once_at_a_time(
    pool: Pool, database_url: str
) -> None:
    """Its host may see to that, and all paths are read by the same connections."""
    by_hand = await asyncpg.connect(database_url)
    holding = await asyncpg.connect(database_url)

    async def waiting() -> int:
        return int(await by_hand.fetchval(WAITING))

    async def both_wait() -> bool:
        return await waiting() >= 2

    permissions = Permissions(pool, database_url)
    async with permissions.running():
        await until(lambda: _fresh(permissions))
        async with holding.transaction():
            await holding.execute("LOCK TABLE viewer_denials")
            for path in ["live/1"] * OFTEN + ["live/2"]:
                await by_hand.execute("SELECT pg_notify('permissions', $1)", path)
            await until(both_wait)
            assert await waiting() == 2
    await holding.close()
    await by_hand.close()


async def _fresh(permissions: Permissions) -> bool:
    return permissions.fresh
