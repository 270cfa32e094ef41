"""True viewer counts: who really pulls, seen soon and gone soon."""

import asyncio

import pytest

from tests.support.stack import Json, Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _live(stack: Stack) -> Json:
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live


@pytest.mark.usefixtures("unhurried")
async def test_viewers_come_and_go(stack: Stack) -> None:
    live = await _live(stack)
    watch = (await stack.ask("watch", {"id": live["id"]}))["Watch"]
    one = await stack.watch(watch["playback_url"])
    await stack.viewers(live["id"], 1)
    two = await stack.watch(live["playback_url"])
    await stack.viewers(live["id"], 2)
    await until(lambda: peak_is(stack, live, 2))
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


async def test_one_who_asks_under_many_names_is_one_viewer(stack: Stack) -> None:
    live = await _live(stack)
    await ask_under_many_names(stack, live)
    await stack.viewers(live["id"], 1)
    assert await counts_until(stack, live, 0) == [1, 0]
    assert (await stack.show(live["id"]))["peak_viewers"] == 0


async def test_who_comes_back_is_counted_once(stack: Stack) -> None:
    """Without tokens, whose owners are the same viewer anyway."""
    live = await stack.go_live(await stack.sign_in("ann"))
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    before = [await stack.watch(live["playback_url"]) for _ in range(2)]
    await stack.viewers(live["id"], 2)
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    await asyncio.gather(*(viewer.stop() for viewer in before))
    await _wait(stack, live)
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    await _wait(stack, live)
    again = [await stack.watch(live["playback_url"]) for _ in range(2)]
    await asyncio.sleep(8.0)  # rounds in which one too many would be seen
    await stack.viewers(live["id"], 2)
    assert (await stack.show(live["id"]))["peak_viewers"] == 2
    assert all(viewer.running for viewer in again)


async def peak_is(stack: Stack, live: Json, wanted: int) -> bool:
    """Only who is seen to go on watching counts for it."""
    return bool((await stack.show(live["id"]))["peak_viewers"] == wanted)


async def ask_under_many_names(stack: Stack, live: Json) -> None:
    for number in range(40):
        url = f"{live['playback_url']}?x={number}"
        async with stack.http.get(url) as response:
            assert response.status == 200


async def counts_until(stack: Stack, live: Json, last: int) -> list[int]:
    """The counts that were shown, each time that another one was, from the first that
    is not zero: who was let in is told half a second later."""
    shown: list[int] = []

    async def look() -> bool:
        count = (await stack.show(live["id"]))["viewers"]
        if (shown or count) and shown[-1:] != [count]:
            shown.append(count)
        return bool(shown and count == last)

    await until(look)
    return shown


async def _wait(stack: Stack, live: Json) -> None:
    """As two players that try again and again, at whatever is there."""
    for _ in range(10):
        async with stack.http.get(live["playback_url"]):
            await asyncio.sleep(0.1)
