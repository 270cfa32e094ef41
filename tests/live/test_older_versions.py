"""MediaMTX v1.17.1 and v1.3.0: publishing, hooks, public playback and the count."""

import os
from functools import partial

import pytest

from tests.live.test_viewers import ask_under_many_names, counts_until, peak_is
from tests.support.stack import Stack, until

VERSIONS = {"v1.17.1": "MEDIAMTX_BIN_V1_17_1", "v1.3.0": "MEDIAMTX_BIN_V1_3_0"}

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("own_stack", ["sandbox"], indirect=True),
]


@pytest.fixture(params=VERSIONS)
def older(request: pytest.FixtureRequest, own_stack: Stack) -> Stack:
    variable = VERSIONS[request.param]
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no MediaMTX {request.param}")
    own_stack.kind = "mediamtx"
    own_stack.env["CONTROL_PLANE_NODE_SANDBOX"] = "false"
    own_stack.version = request.param
    own_stack.binary = os.environ[variable]
    return own_stack


async def test_a_broadcast_on_an_older_version(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    wrong = await older.publish(live["rtmp_url"][:-3] + "xyz")
    encoder = await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await older.proxy.until_passed("ready", live["path"])
    one = await older.watch(live["playback_url"])
    await older.viewers(live["id"], 1)
    watch = await older.ask("watch", {"id": live["id"]})
    two = await older.watch(watch["Watch"]["playback_url"])
    await older.viewers(live["id"], 2)
    await one.stop()
    await older.viewers(live["id"], 1)
    await two.stop()
    await encoder.stop()
    await older.status(live["id"], "reconnecting")
    await older.proxy.until_passed("not_ready", live["path"])
    assert await wrong.ended() != 0


async def test_one_who_asks_under_many_names_is_one_viewer(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await ask_under_many_names(older, live)
    assert await counts_until(older, live, 0) == [1, 0]
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


@pytest.mark.usefixtures("unhurried")
async def test_a_kick_on_an_older_version(older: Stack) -> None:
    await older.start()
    live = await older.go_live(await older.sign_in("ann"))
    encoder = await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    await older.command("kick", live["id"])
    assert await encoder.ended() != 0


async def test_a_picture_of_an_older_version_makes_no_viewer(older: Stack) -> None:
    """Not even where each playlist and segment is asked for."""
    playback = {"CONTROL_PLANE_PLAYBACK": "token"}
    await older.start_node()
    await older.start_service(CONTROL_PLANE_PREVIEW_SECONDS="1", **playback)
    live = await older.go_live(await older.sign_in("ann"))
    await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    watch = (await older.ask("watch", {"id": live["id"]}))["Watch"]

    async def pictured() -> bool:
        assert (await older.show(live["id"]))["viewers"] == 0
        async with older.http.get(watch["thumbnail"]) as answer:
            return answer.status == 200

    await until(pictured)
    assert (await older.show(live["id"]))["peak_viewers"] == 0
    # The address of whoever takes pictures has no rights of its own.
    stranger = await older.watch(live["playback_url"])
    assert await stranger.ended() != 0


async def test_rights_that_end_on_an_older_version(older: Stack) -> None:
    """No HLS viewer can be kicked there, and each request is asked about."""
    await older.start()
    ann, bob = await older.app.sign_in("ann"), await older.app.sign_in("bob")
    await bob.ask("followUser", {"receiver_id": ann.id})
    live = await older.go_live(ann.token, policy="followers")
    await older.publish(live["rtmp_url"])
    await older.status(live["id"], "live")
    url = (await bob.ask("watch", {"id": live["id"]}))["Watch"]["playback_url"]
    await older.watch(url)
    await older.viewers(live["id"], 1)
    await bob.ask("followUser", {"receiver_id": ann.id})  # not any more
    await until(partial(_is_refused, older, url))
    await older.viewers(live["id"], 0)

    await ann.ask("setLivePolicy", {"id": live["id"], "policy": "token"})
    watch = (await older.ask("watch", {"id": live["id"]}))["Watch"]
    await older.watch(watch["playback_url"])
    await older.viewers(live["id"], 1)
    body = {"id": live["id"], "viewer": watch["viewer"]}
    await ann.ask("denyViewer", body)
    await until(partial(_is_refused, older, watch["playback_url"]))
    await older.viewers(live["id"], 0)


async def _is_refused(stack: Stack, url: str) -> bool:
    async with stack.http.get(url) as response:
        return response.status == 401
