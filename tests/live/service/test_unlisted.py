"""Tokens that no list shows: those of whoever is listed are remembered, and nobody
else's for long."""

import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from control_plane.base.database import Pool
from control_plane.base.faults import Away
from control_plane.base.redis import Redis, open_redis
from control_plane.base.secrets import Secrets
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.viewers import Listed
from control_plane.live.service.judging import Judging
from control_plane.live.store.unlisted import ByReader, UnlistedTokens
from control_plane.wiring.services import Services
from tests.live.service.one_viewer import ADDRESS, OneViewer
from tests.support.cluster import Cluster
from tests.support.valkeys import alone

AGES = 1_000_000  # seconds
TOKEN = ViewerToken("viewer", "live/1", 0, 2_000_000_000, epoch=1)


@pytest.fixture
async def redis_url(server_folder: Path) -> AsyncIterator[str]:
    """Whose bytes are counted."""
    async with alone(server_folder / "valkey") as url:
        yield url


@pytest.fixture
def judging(opened: Services, unlisted: UnlistedTokens) -> Judging:
    key = Secrets("x" * 32).viewer_tokens()
    return Judging(opened.pool, unlisted, viewer_key=key, tokens_by_default=False)


@pytest.fixture
def unlisted(opened: Services) -> UnlistedTokens:
    return UnlistedTokens(opened.redis, AGES)


async def test_whoever_came_and_went_is_not_asked_for(
    opened: Services,
    pool: Pool,
    session_id: int,
    node: OneViewer,
    unlisted: UnlistedTokens,
    judging: Judging,
) -> None:
    await pool.execute(
        "UPDATE live_streaming_sessions SET policy = 'token', token_epoch = 2"
    )
    others = {f"other-{number}": TOKEN for number in range(20_000)}
    await unlisted.keep({session_id: {"one": TOKEN, **others}})

    before = await _sent(opened.redis)
    judged = await judging.judge(
        [Listed("one", node.path, ADDRESS, 0, None, "viewer", 0.0)]
    )
    assert judged.gone == {"one"}
    assert await _sent(opened.redis) - before < 20_000


async def _sent(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_net_output_bytes"])


async def test_whoever_is_in_no_list_is_forgotten(unlisted: UnlistedTokens) -> None:
    await unlisted.keep({1: {"listed": TOKEN, "gone": TOKEN}})
    now = time.time()
    for later in (now, now + AGES, now + 2 * AGES, now + 3 * AGES):
        assert _all(await unlisted.of({1: ["listed"]}, later)) == {"listed": TOKEN}
    assert _all(await unlisted.all_of([1], now)) == {"listed": TOKEN, "gone": TOKEN}
    assert _all(await unlisted.all_of([1], later)) == {"listed": TOKEN}


async def test_a_server_of_a_cluster_that_is_away_takes_its_own(
    server_folder: Path,
) -> None:
    sessions = range(32)
    found = {number: {f"of-{number}": TOKEN} for number in sessions}
    async with (
        Cluster(server_folder).running() as cluster,
        open_redis(cluster.url) as redis,
    ):
        unlisted = UnlistedTokens(redis, AGES)
        await unlisted.keep({})
        await cluster.kill(0)
        with pytest.raises(Away):
            await unlisted.keep(found)
        known = _all(await unlisted.of({n: [f"of-{n}"] for n in sessions}, time.time()))
        alone = [await unlisted.of({n: [f"of-{n}"]}, time.time()) for n in sessions]
        there = [one for [one] in alone if not isinstance(one, Away)]
        assert 0 < len(there) < len(sessions)
        assert known == _all(there)
        assert len(known) == len(there)


def _all(places: Iterable[ByReader | Away]) -> ByReader:
    """Of those that are there."""
    there = [one for one in places if not isinstance(one, Away)]
    return {reader: token for one in there for reader, token in one.items()}
