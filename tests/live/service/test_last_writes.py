"""What is only noted when a process is told to end is written all the same."""

import time

from control_plane.base.database import Pool
from control_plane.base.tokens import ViewerToken
from control_plane.live.service.grants import Grants
from control_plane.live.store import grants
from control_plane.live.store.unlisted import LEAST, UnlistedTokens
from control_plane.wiring.services import Services

MANY = 200


async def test_which_key_let_a_publisher_in(opened: Services, pool: Pool) -> None:
    sources = [f"source-{number}" for number in range(MANY)]
    noted = Grants(opened.reserved)
    async with noted.running():
        for source in sources:
            noted.note("local", source, "live/1", 1)
    assert set(await grants.of(pool, "local", sources)) == set(sources)


async def test_what_the_token_of_a_viewer_says(opened: Services) -> None:
    token = ViewerToken("bob", "live/1", 2, 2_000_000_000)
    async with opened.hints.running():
        opened.hints.unlisted(1, "reader", token)
    kept = UnlistedTokens(opened.redis, LEAST)
    assert await kept.all_of([1], time.time()) == [{"reader": token}]
