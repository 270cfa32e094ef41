"""What is seen of a stream from outside: its picture, and how well it comes in."""

import json
import re

import pytest

from tests.support.stack import Json, Stack, until

ADVICE = "No key frame for 8 s: set your encoder's key-frame interval to 1–2 s."  # noqa: RUF001

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _live(stack: Stack, name: str, key_frames: float, **more: object) -> Json:
    """With its host's token."""
    token = await stack.sign_in(name)
    live = await stack.go_live(token, **more)
    await stack.publish(live["rtmp_url"], key_frames=key_frames)
    await stack.status(live["id"], "live")
    return {**live, "token": token}


async def _own(stack: Stack, live: Json) -> Json:
    """As its host sees it."""
    msg = await stack.ask("showLiveStream", {"id": live["id"]}, live["token"])
    found: Json = msg["LiveStreaming"]
    return found


async def _get(stack: Stack, url: str) -> tuple[int, bytes, str]:
    async with stack.http.get(url) as response:
        cached = response.headers.get("Cache-Control", "")
        return response.status, await response.read(), cached


def _address(stack: Stack, live: Json) -> str:
    return f"{stack.base}/previews/{live['id']}.jpg"


async def test_pictures_and_advice(own_stack: Stack) -> None:
    stack = own_stack
    await stack.start_node()
    await stack.start_service(CONTROL_PLANE_PREVIEW_SECONDS="2")
    well = await _live(stack, "ann", 1.0)
    badly = await _live(stack, "bob", 8.0)
    worse = await _live(stack, "dora", 60.0)
    hidden = await _live(stack, "carl", 1.0, policy="followers")

    shown = await until(lambda: _pictured(stack, well))
    assert shown["thumbnail"] == f"{stack.base}/api/previews/{well['id']}.jpg"
    row = await stack.listed(id=well["id"])
    assert row["thumbnail"] == shown["thumbnail"]
    status, jpeg, cached = await _get(stack, shown["thumbnail"])
    assert (status, cached) == (200, "public, max-age=10")
    assert jpeg.startswith(b"\xff\xd8")
    assert len(jpeg) < 40_000

    await _hidden_is_hidden(stack, hidden)
    mine = await until(lambda: _advised(stack, badly, ADVICE))
    assert mine["problems"] == ["key_frames"]
    told = await until(lambda: _degraded(stack, badly))
    assert [data["problem"] for data in told] == ["key_frames"]
    assert told[0]["advice"].startswith("No key frame for ")
    await until(lambda: _advised(stack, worse, "No key frame for "))
    await _operators_are_told(stack, badly)
    assert "ingest" not in await stack.show(badly["id"])  # a stranger's view

    async def measured() -> object:
        return (await _own(stack, well)).get("ingest")

    good = await until(measured)
    assert good["advice"] == []
    assert good["codec"] == "H264"
    assert (good["width"], good["height"]) == (160, 120) or stack.kind == "sandbox"
    assert 9 < good["fps"] < 11
    assert 0.9 < good["key_frame_seconds"] < 1.2
    assert good["bitrate"] > 10_000
    for live in (well, badly, hidden):
        assert (await stack.show(live["id"]))["viewers"] == 0
        assert (await stack.show(live["id"]))["peak_viewers"] == 0

    await stack.ask("liveStream", {"id": well["id"], "ended_at": "now"}, well["token"])
    ended = await stack.status(well["id"], "ended")
    assert (await _get(stack, ended["thumbnail"]))[0] == 200
    log = (stack.folder / "service.log").read_text()
    assert "a loop failed" not in log


async def _degraded(stack: Stack, live: Json) -> list[Json]:
    """As its events tell, which a writer elsewhere in the same Postgres holds back."""
    text = await stack.command("sessions", "events", live["id"], "--json")
    return [e["data"] for e in json.loads(text) if e["type"] == "ingest.degraded"]


async def _operators_are_told(stack: Stack, live: Json) -> None:
    token = await stack.command("token", "create", "ops", "--scope", "read")
    url = f"http://127.0.0.1:{stack.ports['OPERATOR']}/v1/now"
    headers = {"Authorization": f"Bearer {token.strip()}"}
    async with stack.http.get(url, headers=headers) as response:
        needed = (await response.json())["attention"]
    [words] = [one for one in needed if one["id"] == int(live["id"])]
    assert words["runbook"] == "/ops/guide/operations#ingestbad"
    assert re.match(r"bob\w+: No key frame for \d+ s: set your encoder", words["words"])


async def _pictured(stack: Stack, live: Json) -> Json | None:
    shown = await stack.show(live["id"])
    return shown if shown["thumbnail"] else None


async def _advised(stack: Stack, live: Json, begins: str) -> Json | None:
    health: Json = (await _own(stack, live)).get("ingest") or {}
    advice = health.get("advice") or [""]
    return health if advice[0].startswith(begins) else None


async def _hidden_is_hidden(stack: Stack, hidden: Json) -> None:
    """Once there is a picture: its host sees it."""
    watch = (await stack.ask("watch", {"id": hidden["id"]}, hidden["token"]))["Watch"]
    address = _address(stack, hidden)

    async def seen() -> bool:
        return (await _get(stack, watch["thumbnail"]))[0] == 200

    await until(seen)
    assert (await _get(stack, watch["thumbnail"]))[2] == "private, max-age=10"
    assert (await stack.show(hidden["id"]))["thumbnail"] == ""
    assert (await _get(stack, address))[0] == 404
    assert (await _get(stack, f"{address}?token=wrong"))[0] == 404
