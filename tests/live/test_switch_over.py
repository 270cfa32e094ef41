"""The primary of a store becomes another server in mid-broadcast: nobody is cut, who
comes afterwards gets in, and no event is lost."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.newcomer import comes_live, is_open_again
from tests.support.sentinels import Watched
from tests.support.stack import Json, Stack, until
from tests.support.standby import Pair

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEPS = {"stopped": Pair.stop_primary, "read-only": Pair.demote_primary}


@pytest.mark.parametrize("step_down", STEPS.values(), ids=STEPS)
async def test_a_broadcast_outlives_its_primary(
    step_down: Callable[[Pair], Awaitable[None]],
    tmp_path: Path,
    server_folder: Path,
    redis_url: str,
) -> None:
    async with (
        Pair(server_folder).running() as pair,
        Stack("sandbox", tmp_path, pair.url, redis_url) as stack,
    ):
        await stack.start()
        token = await stack.sign_in("ann")
        live = await stack.go_live(token)
        encoder = await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        viewer = await stack.watch(live["playback_url"])
        await stack.viewers(live["id"], 1)
        before = await _events(stack)

        await step_down(pair)
        await pair.promote()

        await is_open_again(stack)
        await stack.viewers(live["id"], 1)
        assert (await stack.show(live["id"]))["status"] == "live"
        assert encoder.running
        assert viewer.running
        after = await _events(stack)
        assert after[: len(before)] == before
        await stack.ask("liveStream", {"id": live["id"], "ended_at": "now"}, token)
        kinds = await stack.events(live["id"])
        assert kinds.count("live.ended") == 1
        assert "live.reconnecting" not in kinds


async def test_who_only_reads_sees_what_the_new_primary_has(
    tmp_path: Path, server_folder: Path, redis_url: str
) -> None:
    """The old one goes on, and takes no writes."""
    async with (
        Pair(server_folder).running() as pair,
        Stack("sandbox", tmp_path, pair.url, redis_url) as stack,
    ):
        await stack.start()
        live = await stack.go_live(await stack.sign_in("ann"))

        await pair.demote_primary()
        await pair.promote()

        await until(lambda: comes_live(stack, live))


async def test_viewers_are_counted_on_when_redis_is_another(
    tmp_path: Path, server_folder: Path, database_url: str
) -> None:
    async with (
        Watched(server_folder).running() as servers,
        Stack("sandbox", tmp_path, database_url, servers.url) as stack,
    ):
        await stack.start()
        live = await stack.go_live(await stack.sign_in("ann"))
        encoder = await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        viewer = await stack.watch(live["playback_url"])
        await stack.viewers(live["id"], 1)

        await servers.stop_primary()

        another = await stack.watch(live["playback_url"])
        await stack.viewers(live["id"], 2)
        assert (await stack.show(live["id"]))["status"] == "live"
        assert encoder.running
        assert viewer.running
        assert another.running
        assert "live.reconnecting" not in await stack.events(live["id"])


async def test_viewers_are_counted_in_a_cluster(
    tmp_path: Path, server_folder: Path, database_url: str
) -> None:
    async with (
        Cluster(server_folder).running() as cluster,
        Stack("sandbox", tmp_path, database_url, cluster.url) as stack,
    ):
        stack.env["CONTROL_PLANE_WRITES_PER_MINUTE"] = "100"
        await stack.start()
        live = await stack.go_live(await stack.sign_in("ann"))
        await stack.publish(live["rtmp_url"])
        await stack.status(live["id"], "live")
        viewer = await stack.watch(live["playback_url"])
        await stack.viewers(live["id"], 1)
        await viewer.kill()
        await stack.viewers(live["id"], 0)
        assert "CROSSSLOT" not in (stack.folder / "service.log").read_text()


async def _events(stack: Stack) -> list[Json]:
    """Of everybody, in order."""
    lines = (await stack.command("events", "export")).splitlines()
    return [json.loads(line) for line in lines]
