"""The connections to Redis."""

from control_plane.base.redis import open_redis, pipelined
from tests.support.stack import until


async def test_a_connection_that_the_server_closed_fails_nobody(redis_url: str) -> None:
    """As after a restart: the pool finds out before it is used."""
    async with open_redis(redis_url) as ours, open_redis(redis_url) as another:
        number = await ours.client_id()
        await another.client_kill_filter(_id=str(number), skipme=False)

        async def is_gone() -> bool:
            clients = await another.client_list()
            return str(number) not in {client["id"] for client in clients}

        await until(is_gone)
        assert await pipelined(ours, [("ECHO", "here")]) == ["here"]
        assert await ours.client_id() != number
