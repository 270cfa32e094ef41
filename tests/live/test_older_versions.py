"""MediaMTX v1.17.1 and v1.3.0: publishing, hooks, public playback and the count."""

import os

import pytest

from tests.live.test_viewers import ask_under_many_names, most_viewers, peak_is
from tests.support.stack import Stack, until

VERSIONS = {"v1.17.1": "MEDIAMTX_BIN_V1_17_1", "v1.3.0": "MEDIAMTX_BIN_V1_3_0"}

pytestmark = pytest.mark.parametrize("stack", ["sandbox"], indirect=True)


@pytest.fixture(params=VERSIONS)
def older(request: pytest.FixtureRequest, stack: Stack) -> Stack:
    variable = VERSIONS[request.param]
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no MediaMTX {request.param}")
    stack.kind = "mediamtx"
    stack.env["CONTROL_PLANE_NODE_SANDBOX"] = "false"
    stack.version = request.param
    stack.binary = os.environ[variable]
    return stack


async def test_a_broadcast_on_an_older_version(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    wrong = await older.publish(live["rtmp_url"][:-3] + "xyz", seconds=10)
    encoder = await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await until(lambda: _told(older, "ready"))
    one = await older.watch(live["playback_url"])
    await older.viewers(live["id"], 1, 10.0)
    watch = await older.ask("watch", {"id": live["id"]})
    two = await older.watch(watch["Watch"]["playback_url"])
    await older.viewers(live["id"], 2, 10.0)
    await one.stop()
    await older.viewers(live["id"], 1, 16.0)
    await two.stop()
    await encoder.stop()
    await older.status(live["id"], "reconnecting")
    await until(lambda: _told(older, "not_ready"))
    assert await wrong.ended(20.0) != 0


async def test_one_who_asks_under_many_names_is_one_viewer(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await ask_under_many_names(older, live)
    assert await most_viewers(older, live, seconds=14.0) == [1, 0]
    # Asking for long enough is watching, as far as such a node tells.
    assert (await older.show(live["id"]))["peak_viewers"] <= 1


async def test_who_goes_on_watching_an_older_version_is_in_the_peak(
    older: Stack,
) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await older.watch(live["playback_url"])
    await until(lambda: peak_is(older, live, 1))


async def _told(stack: Stack, event: str) -> bool:
    return event in stack.proxy.passed


async def test_a_kick_on_an_older_version(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    encoder = await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await older.command("kick", live["id"])
    assert await encoder.ended(5.0) != 0
