"""What Redis takes only half of goes away by itself."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from control_plane.base.faults import Away
from control_plane.live.store.viewers import ViewerSets
from tests.support.valkeys import alone

ROOM = 2_000_000  # bytes


async def test_a_large_audience(server_folder: Path) -> None:
    """While it is full their session ends, and nobody says again who watches."""
    viewers = [f"viewer-{number}" for number in range(100_000)]
    async with (
        alone(server_folder / "valkey") as url,
        Redis.from_url(url) as redis,
    ):
        used = (await redis.info("memory"))["used_memory"]
        await redis.config_set("maxmemory", used + ROOM)
        with pytest.raises(Away):
            await ViewerSets(redis).replace({(1, "node"): viewers})
        [key] = await redis.keys()
        assert await redis.ttl(key) > 0
