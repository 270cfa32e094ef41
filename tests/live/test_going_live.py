"""From POST /api/liveStream to a live session, and who is refused on the way."""

import pytest

from tests.support.stack import Stack

PICTURE = "https://cdn.example.com/ann.jpg"


async def test_a_broadcast_from_start_to_end(stack: Stack) -> None:
    await stack.start()
    token = await stack.sign_in("ann")
    await stack.ask("editProfile", {"profile_pic": PICTURE}, token)
    live = await stack.go_live(token, title="Hello")
    assert live["status"] == "created"
    assert len(live["rtmp_url"]) < 255
    assert live["rtmp_url"] == f"{live['rtmp_server']}/{live['stream_key']}"
    encoder = await stack.publish(live["rtmp_url"])
    shown = await stack.status(live["id"], "live")
    assert shown["title"] == "Hello"
    assert "key" not in shown
    listed = await stack.ask("showLiveStreams", {})
    assert [one["LiveStreaming"]["id"] for one in listed] == [live["id"]]
    row = listed[0]["LiveStreaming"]
    assert row["sandbox"] == (stack.kind == "sandbox")
    assert row["profile_pic"] == PICTURE
    assert row["playback_url"] == live["playback_url"]

    ended = await stack.ask(
        "liveStream", {"id": live["id"], "ended_at": "2026-01-01 00:00:00"}, token
    )
    assert ended["LiveStreaming"]["status"] == "ended"
    assert await encoder.ended(5.0) != 0
    assert await stack.events(live["id"]) == [
        "live.created",
        "live.started",
        "live.ended",
    ]
    again = await stack.publish(live["rtmp_url"])
    assert await again.ended(10.0) != 0
    assert (await stack.show(live["id"]))["status"] == "ended"


async def _refused(stack: Stack, url: str) -> None:
    encoder = await stack.publish(url, seconds=20)
    assert await encoder.ended(15.0) != 0


@pytest.mark.parametrize("wrong", ["none", "wrong", "another's", "viewer's"])
async def test_publishing_without_the_right_key(stack: Stack, wrong: str) -> None:
    await stack.start()
    live = await stack.go_live(await stack.sign_in("ann"))
    other = await stack.go_live(await stack.sign_in("bob"))
    watch = await stack.ask("watch", {"id": live["id"]})
    keys = {
        "none": "",
        "wrong": "?key=wrong-key-wrong-key-wrong",
        "another's": f"?key={other['key']}",
        "viewer's": f"?token={watch['Watch']['token']}",
    }
    await _refused(stack, live["rtmp_url"].partition("?")[0] + keys[wrong])
    assert (await stack.show(live["id"]))["status"] == "created"


async def test_an_expired_key_does_not_start(stack: Stack) -> None:
    await stack.start_service(CONTROL_PLANE_FIRST_PUBLISH_SECONDS="1")
    await stack.start_node()
    live = await stack.go_live(await stack.sign_in("ann"))
    await stack.status(live["id"], "expired", 40.0)
    await _refused(stack, live["rtmp_url"])


async def test_a_second_start_is_the_same_session_and_cuts_nobody(
    stack: Stack,
) -> None:
    await stack.start()
    token = await stack.sign_in("ann")
    first = await stack.go_live(token)
    old = await stack.publish(first["rtmp_url"])
    await stack.status(first["id"], "live")
    second = await stack.go_live(token)
    assert second["id"] == first["id"]
    assert second["key"] != first["key"]
    assert old.running

    new = await stack.publish(second["rtmp_url"])
    assert await old.ended(15.0) != 0  # replaced, by the last one who came
    await stack.status(first["id"], "live")
    assert new.running
    await _refused(stack, first["rtmp_url"])  # the new key has published once
    assert new.running
    assert (await stack.show(first["id"]))["status"] == "live"


async def test_the_old_key_may_reconnect_until_the_new_one_has_published(
    stack: Stack,
) -> None:
    await stack.start()
    token = await stack.sign_in("ann")
    first = await stack.go_live(token)
    encoder = await stack.publish(first["rtmp_url"])
    await stack.status(first["id"], "live")
    await stack.go_live(token)
    await encoder.stop()
    await stack.status(first["id"], "reconnecting")
    again = await stack.publish(first["rtmp_url"])
    await stack.status(first["id"], "live")
    assert again.running


async def test_a_lasting_key_opens_a_session_on_its_channel(stack: Stack) -> None:
    await stack.start()
    token = await stack.sign_in("carl")
    made = (await stack.ask("streamKeys", {"name": "OBS"}, token))["StreamKey"]
    assert made["channel_name"] == "carl"
    encoder = await stack.publish(made["rtmp_url"])
    live = (await stack.live_list(1))[0]
    assert live["channel_name"] == "carl"
    shown = (await stack.ask("showStreamKeys", {}, token))[0]["StreamKey"]
    assert made["key"] not in str(shown)

    await stack.ask("revokeStreamKey", {"id": made["id"]}, token)
    assert await encoder.ended(5.0) != 0
    await _refused(stack, made["rtmp_url"])
