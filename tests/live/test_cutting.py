"""Ban, kick, end and revoke cut the running publisher, keep it out, and say when it
is out."""

import json
from urllib.parse import urljoin

import pytest

from tests.support.process import Process
from tests.support.stack import Json, Stack, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("unhurried"),
]


async def _live(stack: Stack) -> tuple[Json, Process, str]:
    token = await stack.sign_in("ann")
    live = await stack.go_live(token)
    encoder = await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    return live, encoder, token


@pytest.mark.parametrize("how", ["kick", "end"])
async def test_kick_and_end(stack: Stack, how: str) -> None:
    live, encoder, _token = await _live(stack)
    words = ["kick"] if how == "kick" else ["sessions", "end"]
    said = await stack.command(*words, live["id"], "--json")
    assert json.loads(said) == {"out": True}
    await encoder.ended()
    shown = await stack.show(live["id"])
    assert shown["end_reason"] == ("kicked" if how == "kick" else "completed")
    again = await stack.publish(live["rtmp_url"])
    assert await again.ended() != 0


async def test_a_ban_signs_out_cuts_and_keeps_out(stack: Stack) -> None:
    live, encoder, token = await _live(stack)
    said = await stack.command("ban", str(live["user_id"]), "--json")
    assert json.loads(said) == {"out": True}
    await encoder.ended()
    assert (await stack.show(live["id"]))["end_reason"] == "banned"
    assert (await stack.call("liveStream", {}, token))["code"] == 501
    again = await stack.publish(live["rtmp_url"])
    assert await again.ended() != 0

    await stack.command("unban", str(live["user_id"]))
    assert (await stack.call("liveStream", {}, token))["code"] == 501
    back = await stack.go_live(await stack.sign_in("ann"))
    assert back["id"] != live["id"]


async def test_a_kick_of_a_channel_keeps_its_encoder_out(stack: Stack) -> None:
    token = await stack.sign_in("carl")
    made = (await stack.ask("streamKeys", {}, token))["StreamKey"]
    encoder = await stack.publish(made["rtmp_url"])
    live = await stack.listed(channel_name=made["channel_name"])
    await stack.command("kick", live["id"])
    await encoder.ended()
    again = await stack.publish(made["rtmp_url"])
    assert await again.ended() != 0
    assert (await stack.show(live["id"]))["end_reason"] == "kicked"
    assert not await stack.is_listed(channel_name=made["channel_name"])


@pytest.mark.parametrize("overlap", [0, 3600])
async def test_a_rotation_interrupts_nobody(stack: Stack, overlap: int) -> None:
    token = await stack.sign_in("dora")
    old = (await stack.ask("streamKeys", {}, token))["StreamKey"]
    encoder = await stack.publish(old["rtmp_url"])
    live = await stack.listed(channel_name=old["channel_name"])
    viewer = await stack.watch(live["playback_url"])
    await stack.viewers(live["id"], 1)
    body = {"id": old["id"], "overlap": overlap}
    new = (await stack.ask("rotateStreamKey", body, token))["StreamKey"]
    if not overlap:
        again = await stack.publish(old["rtmp_url"])
        assert await again.ended() != 0
    await stack.watch(live["playback_url"])
    await stack.viewers(live["id"], 2)
    assert encoder.running
    assert viewer.running
    await encoder.stop()
    await stack.status(live["id"], "reconnecting")
    await stack.publish(new["rtmp_url"])
    await stack.status(live["id"], "live")
    assert "live.publisher_replaced" not in await stack.events(live["id"])


async def test_a_rotation_at_once_cuts(stack: Stack) -> None:
    token = await stack.sign_in("dora")
    old = (await stack.ask("streamKeys", {}, token))["StreamKey"]
    encoder = await stack.publish(old["rtmp_url"])
    live = await stack.listed(channel_name=old["channel_name"])
    body = {"id": old["id"], "at_once": 1}
    new = (await stack.ask("rotateStreamKey", body, token))["StreamKey"]
    assert await encoder.ended() != 0
    await stack.status(live["id"], "reconnecting")
    await stack.publish(new["rtmp_url"])
    await stack.status(live["id"], "live")


async def test_someone_who_is_not_the_host_cannot_end_it(stack: Stack) -> None:
    live, encoder, _token = await _live(stack)
    other = await stack.sign_in("bob")
    answer = await stack.call("liveStream", {"id": live["id"], "ended_at": "x"}, other)
    assert answer["code"] == 201
    assert encoder.running
    assert (await stack.show(live["id"]))["status"] == "live"


async def test_a_session_has_a_longest_length(own_stack: Stack) -> None:
    await own_stack.start_service(CONTROL_PLANE_LONGEST_SESSION_SECONDS="5")
    await own_stack.start_node()
    live = await own_stack.go_live(await own_stack.sign_in("ann"))
    encoder = await own_stack.publish(live["rtmp_url"])
    shown = await own_stack.status(live["id"], "ended")
    assert shown["end_reason"] == "too_long"
    await encoder.ended()


async def _opened(stack: Stack, url: str) -> str:
    """A playlist of a session that a viewer has opened; what follows asks nobody."""
    async with stack.http.get(url) as response:
        assert response.status == 200
        master = await response.text()
    child = next(
        line for line in master.splitlines() if line and not line.startswith("#")
    )
    return urljoin(str(response.url), child)


async def _gives(stack: Stack, url: str) -> bool:
    async with stack.http.get(url) as response:
        return response.status == 200


async def _until_closed(stack: Stack, url: str) -> None:
    """The service waits for no cut longer than a request may take."""

    async def closed() -> bool:
        return not await _gives(stack, url)

    await until(closed)


async def test_a_viewer_whose_right_ends_gets_nothing_more(stack: Stack) -> None:
    live, encoder, token = await _live(stack)
    await stack.ask("setLivePolicy", {"id": live["id"], "policy": "token"}, token)
    seen = [(await stack.ask("watch", {"id": live["id"]}))["Watch"] for _ in range(2)]
    denied, other = [await _opened(stack, one["playback_url"]) for one in seen]
    body = {"id": live["id"], "viewer": seen[0]["viewer"]}
    await stack.ask("denyViewer", body, token)
    await _until_closed(stack, denied)
    assert await _gives(stack, other)
    await _until_closed(stack, seen[0]["playback_url"])
    await stack.ask("setLivePolicy", {"id": live["id"], "policy": "followers"}, token)
    await _until_closed(stack, other)
    assert encoder.running


async def test_who_watches_without_a_token_is_cut_when_one_is_needed(
    stack: Stack,
) -> None:
    live, _encoder, token = await _live(stack)
    url = (await stack.show(live["id"]))["playback_url"]
    anybody = await _opened(stack, url)
    await stack.ask("setLivePolicy", {"id": live["id"], "policy": "token"}, token)
    await _until_closed(stack, anybody)
