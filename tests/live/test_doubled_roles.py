"""Two of each role, on a Postgres with a standby and on three Valkeys that
are a cluster: whatever goes in mid-broadcast, nobody is cut, and what happens meanwhile
happens once."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from control_plane.base.hosts import connect
from tests.live.conftest import KINDS
from tests.support.cluster import SERVERS, Cluster
from tests.support.doubled import Doubled, Giver, held
from tests.support.newcomer import is_open_again
from tests.support.process import Process
from tests.support.receiver import Receiver, receiver
from tests.support.stack import Json, Stack, until
from tests.support.standby import Pair

pytestmark = pytest.mark.asyncio(loop_scope="session")

COINS, PRICE = 100_000, 10
GIFT = "gift.sent"


@dataclass(frozen=True)
class Evening:
    """A broadcast that two watch and a fan sends gifts to, and who is told of it."""

    doubled: Doubled
    pair: Pair
    cluster: Cluster
    hook: Receiver
    live: Json
    playing: list[Process]
    fan: int
    giver: Giver

    @property
    def stack(self) -> Stack:
        return self.doubled.stack

    async def goes_on(self) -> None:
        """Others come in too; it is watched and gets gifts as before."""
        await self.lets_in()
        await self.stack.viewers(self.live["id"], 2)
        await self._gets_gifts()
        assert all(one.running for one in self.playing)

    async def lets_in(self) -> None:
        token = await self.stack.sign_in("bob")
        live = await self.stack.go_live(token)
        encoder = await self.stack.publish(live["rtmp_url"])
        await self.stack.status(live["id"], "live")
        await self.stack.ask("liveStream", {"id": live["id"], "ended_at": "now"}, token)
        await encoder.kill()

    async def _gets_gifts(self) -> None:
        enough = self.giver.given + 2

        async def given() -> bool:
            return self.giver.given >= enough

        await until(given)

    async def owner(self) -> int:
        """Which ``work`` looks after the node."""
        connection = await connect(self.pair.url)
        try:
            name = await connection.fetchval("SELECT owner FROM nodes")
        finally:
            await connection.close()
        pids = [str(one.process.pid) for one in self.doubled.processes["work"]]
        return pids.index(name.partition("-")[0])

    async def until_owned_by(self, which: int) -> None:
        async def is_owned() -> bool:
            return await self.owner() == which

        await until(is_owned)

    async def log(self) -> list[Json]:
        lines = (await self.stack.command("events", "export")).splitlines()
        return [json.loads(line) for line in lines]


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def evening(
    request: pytest.FixtureRequest, tmp_path: Path, server_folder: Path
) -> AsyncIterator[Evening]:
    async with (
        Pair(server_folder).running() as pair,
        Cluster(server_folder).running() as cluster,
        Stack(request.param, tmp_path, pair.url, cluster.url) as stack,
        receiver() as hook,
    ):
        stack.env["CONTROL_PLANE_WEBHOOK_NETWORKS"] = "127.0.0.1"
        doubled = Doubled(stack)
        await doubled.start()
        await stack.command("webhooks", "add", hook.url)
        host, fan = [await stack.app.sign_in(name) for name in ("ann", "fan")]
        await stack.command("ledger", "bonus", str(fan.id), str(COINS))
        live = await stack.go_live(host.token)
        encoder = await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        viewers = [await stack.watch(live["playback_url"]) for _ in range(2)]
        await stack.viewers(live["id"], 2)
        gift = {"receiver_id": host.id, "live_streaming_id": live["id"]}
        giver = Giver(doubled.apps, fan.token, gift)
        yield Evening(
            doubled, pair, cluster, hook, live, [encoder, *viewers], fan.id, giver
        )


async def test_a_broadcast_outlives_one_of_each(evening: Evening) -> None:
    async with evening.giver.running():
        await _switches_over(evening)
        await evening.goes_on()
        await _kills_roles(evening)
        await _kills_stores(evening)
    await _happened_once(evening)


async def _switches_over(evening: Evening) -> None:
    await evening.pair.stop_primary()
    await evening.pair.promote()
    await is_open_again(evening.stack)


async def _kills_roles(evening: Evening) -> None:
    for role in ("auth", "api"):
        await evening.doubled.kill(role, 0)
        await evening.goes_on()
    owner = await evening.owner()
    other = 1 - owner
    with held(evening.doubled.processes["work"][owner]):
        await evening.until_owned_by(other)
    await evening.goes_on()  # both look after the node for a moment
    await evening.doubled.kill("work", other)
    await evening.until_owned_by(owner)
    await evening.goes_on()


async def _kills_stores(evening: Evening) -> None:
    """One after the other of the cluster's; nobody has what it held."""
    for number in range(SERVERS):
        await evening.cluster.kill(number)
        await evening.lets_in()
        await evening.cluster.start_again(number)
        await evening.goes_on()


async def _happened_once(evening: Evening) -> None:
    stack, given = evening.stack, evening.giver.given
    kinds = await stack.events(evening.live["id"])
    assert kinds.count(GIFT) == given
    assert [one for one in kinds if one != GIFT] == ["live.created", "live.started"]
    fan = json.loads(await stack.command("ledger", "show", str(evening.fan), "--json"))
    assert fan["wallet"] == COINS - PRICE * given
    await stack.command("ledger", "check")  # fails when any rule is broken
    written = _by_subject(await evening.log())
    del written["node", 1]  # it was there before the receiver
    await evening.hook.until(lambda: _by_subject(evening.hook.taken) == written)


def _by_subject(events: list[Json]) -> dict[tuple[str, int], list[int]]:
    """Their numbers, each where it comes first."""
    found: dict[tuple[str, int], dict[int, None]] = defaultdict(dict)
    for one in events:
        found[one["subject"], one["subject_id"]][one["seq"]] = None
    return {subject: [*numbers] for subject, numbers in found.items()}
