"""True viewer counts: who really pulls, seen soon and gone soon."""

import pytest

from tests.support.stack import Json, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _live(stack: Stack) -> Json:
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live


async def test_viewers_come_and_go(stack: Stack) -> None:
    live = await _live(stack)
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = await stack.watch(watch["playback_url"])
    await stack.viewers(live["id"], 1)
    two = await stack.watch(live["playback_url"])
    await stack.viewers(live["id"], 2)
    await two.stop()
    await stack.viewers(live["id"], 1)
    assert one.running
    shown = await stack.show(live["id"])
    assert shown["peak_viewers"] == 2
    await stack.command("sessions", "end", live["id"])
    assert (await stack.show(live["id"]))["viewers"] == 0


async def test_a_reload_is_not_a_second_viewer(stack: Stack) -> None:
    live = await _live(stack)
    first = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = await stack.watch(first["playback_url"])
    await stack.viewers(live["id"], 1)
    again = await stack.ask("watch", {"id": live["id"], "token": first["token"]})
    two = await stack.watch(again["Watch"]["playback_url"])
    await stack.viewers(live["id"], 1)
    await one.stop()
    await stack.viewers(live["id"], 1)
    assert two.running


async def test_tokens_when_playback_needs_them(own_stack: Stack) -> None:
    await own_stack.start_service(CONTROL_PLANE_PLAYBACK="token")
    await own_stack.start_node()
    live = await own_stack.go_live(await own_stack.sign_in("ann"))
    await own_stack.publish(live["rtmp_url"])
    await own_stack.status(live["id"], "live")
    watch = (await own_stack.ask("watch", {"id": live["id"]}))["Watch"]
    allowed = await own_stack.watch(watch["playback_url"])
    await own_stack.viewers(live["id"], 1)
    denied = await own_stack.watch(live["playback_url"])
    assert await denied.ended() != 0
    stolen = await own_stack.watch(live["playback_url"] + f"?key={live['key']}")
    assert await stolen.ended() != 0
    assert allowed.running
