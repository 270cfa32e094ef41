"""What auth has noted of viewers, on its way to Redis."""

import itertools
import time
from pathlib import Path

import pytest

from control_plane.base.faults import Away
from control_plane.base.redis import open_redis
from control_plane.live.model.edges import KNOWN_AFTER
from control_plane.live.service.hints import Hints
from control_plane.live.store.beats import Beats
from control_plane.live.store.unlisted import UnlistedTokens
from control_plane.live.store.viewers import ViewerSets
from tests.support.cluster import Cluster, held_by
from tests.support.stack import until
from tests.support.valkeys import alone

pytestmark = pytest.mark.usefixtures("well_heard")


async def _written(hints: Hints) -> bool:
    """A server that said nothing is let alone for a moment."""
    try:
        await hints.flush()
    except Away:
        return False
    return True


async def test_who_stays_is_not_known_once_something_was_lost(
    server_folder: Path,
) -> None:
    async with alone(server_folder) as url, open_redis(url) as redis:
        beats = Beats(redis)
        hints = Hints(ViewerSets(redis), beats, UnlistedTokens(redis, 60))
        hints.know_caches({"c"})
        long_ago = time.time() - KNOWN_AFTER
        hints.stay("c", "before")
        await beats.hears(["c"], long_ago)
        await hints.flush()
        assert await beats.staying("c", time.time()) == ["before"]

        # Of those that write.
        await redis.client_pause(60_000, all=False)
        hints.stay("c", "lost")
        with pytest.raises(Away):
            await hints.flush()
        await redis.client_unpause()
        await until(lambda: _written(hints))
        assert await beats.staying("c", time.time()) is None
        assert await beats.staying("c", time.time() + KNOWN_AFTER) is not None


async def test_what_other_servers_of_a_cluster_hold_is_written(
    server_folder: Path,
) -> None:
    away = next(held_by(0))
    origin, cache = itertools.islice(held_by(1), 2)
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        beats = Beats(redis)
        hints = Hints(ViewerSets(redis), beats, UnlistedTokens(redis, 60))
        hints.know_caches({away, cache})
        await beats.hears([cache], time.time() - KNOWN_AFTER)
        await cluster.kill(0)
        hints.note(1, away, "a", listed=True)
        hints.ask(away, (1, away), "a", live=True)
        hints.ask(cache, (4, origin), "b", live=True)
        hints.stay(cache, "b")
        with pytest.raises(Away):
            await hints.flush()
        now = time.time()
        assert await beats.count(origin, [4], now) == {4: 1}
        assert await beats.staying(cache, now) == ["b"]


async def test_so_is_who_an_edge_lists(server_folder: Path) -> None:
    away, origin = next(held_by(0)), next(held_by(1))
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        beats, now = Beats(redis), time.time()
        await cluster.kill(0)
        many = dict.fromkeys(map(str, range(2000)), now + 10)
        with pytest.raises(Away):
            await beats.beat({(1, away): many, (2, origin): many}, now)
        assert await beats.count(origin, [2], now) == {2: 2000}
