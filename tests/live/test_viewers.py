"""True viewer counts: who really pulls, seen soon and gone soon."""

from tests.support.stack import Json, Stack

JOIN = 4.0  # seconds: three, and one for our own look
LEAVE = 16.0  # seconds


async def _live(stack: Stack) -> Json:
    await stack.start()
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live


async def test_viewers_come_and_go(stack: Stack) -> None:
    live = await _live(stack)
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = await stack.watch(watch["playback_url"])
    await stack.viewers(live["id"], 1, JOIN + 4.0)  # ffmpeg's own start
    two = await stack.watch(live["playback_url"])
    await stack.viewers(live["id"], 2, JOIN + 4.0)
    await two.stop()
    await stack.viewers(live["id"], 1, LEAVE)
    assert one.running
    shown = await stack.show(live["id"])
    assert shown["peak_viewers"] == 2
    await stack.command("sessions", "end", live["id"])
    assert (await stack.show(live["id"]))["viewers"] == 0


async def test_a_reload_is_not_a_second_viewer(stack: Stack) -> None:
    live = await _live(stack)
    first = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = await stack.watch(first["playback_url"])
    await stack.viewers(live["id"], 1, JOIN + 4.0)
    again = await stack.ask("watch", {"id": live["id"], "token": first["token"]})
    two = await stack.watch(again["Watch"]["playback_url"])
    await stack.viewers(live["id"], 1, 3.0)
    await one.stop()
    await stack.viewers(live["id"], 1, 3.0)
    assert two.running


async def test_tokens_when_playback_needs_them(stack: Stack) -> None:
    await stack.start_service(CONTROL_PLANE_PLAYBACK="token")
    await stack.start_node()
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    allowed = await stack.watch(watch["playback_url"])
    await stack.viewers(live["id"], 1, JOIN + 4.0)
    denied = await stack.watch(live["playback_url"])
    assert await denied.ended(15.0) != 0
    stolen = await stack.watch(live["playback_url"] + f"?key={live['key']}")
    assert await stolen.ended(15.0) != 0
    assert allowed.running
