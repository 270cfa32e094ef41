"""A node that was away takes broadcasts again as soon as it answers."""

from control_plane.base.database import Pool
from tests.support.api import running, settings
from tests.support.nodes import answering
from tests.support.ports import free_ports
from tests.support.stack import until


async def test_one_that_is_back_takes_broadcasts_at_once(
    database_url: str, redis_url: str, owner: Pool
) -> None:
    port = free_ports(1)[0]
    wanted = settings(database_url, redis_url, api_port=port, reconcile_seconds=0.2)
    async with running(wanted) as app:
        await until(lambda: _silent(owner))
        await owner.execute("UPDATE nodes SET silent_since = now() - interval '31 s'")
        await until(lambda: _lost(owner))
        ann = await app.sign_in("ann")
        assert (await ann.call("liveStream", {}))["code"] == 201
        async with answering(port):
            await until(lambda: _lost(owner, False))
            assert (await ann.call("liveStream", {}))["code"] == 200


async def _silent(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT silent_since IS NOT NULL FROM nodes"))


async def _lost(pool: Pool, wanted: bool = True) -> bool:
    return bool(await pool.fetchval("SELECT lost FROM nodes")) is wanted
