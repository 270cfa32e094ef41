"""An encoder's way in and out, as the recordings have it."""

import asyncio
import re
import signal
import time

import aiohttp
import psutil
import pytest

from tests.contract.caller import calling
from tests.contract.node import READ_TIMEOUT, Node
from tests.contract.plane import KEY, SECRET
from tests.contract.recorded import Json
from tests.support.stack import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOBODY = "00000000-0000-0000-0000-000000000000"


async def gone(node: Node, path: str) -> None:
    async def look() -> bool:
        return await node.path(path) is None

    await until(look)


async def test_the_question_about_an_encoder(node: Node) -> None:
    path = node.new_path()
    await node.publish(path)
    asked = await node.plane.first_asked(path)
    expected = node.recorded["auth"]["publish"]
    body = dict(asked.body)
    assert list(body) == list(expected)
    assert UUID.fullmatch(body["id"])
    changes = {"id": body["id"], "path": path}
    if "userAgent" in expected:
        assert body["userAgent"].startswith("FMLE/3.0 (compatible; Lavf")
        changes["userAgent"] = body["userAgent"]
    assert body == expected | changes


async def test_how_it_asks(node: Node) -> None:
    """A new connection each time; who it is stands in the Authorization header."""
    path = node.new_path()
    await asyncio.gather(node.publish(path), node.publish(node.new_path()))
    await node.plane.until(lambda: len(node.plane.asked) > 1)
    expected = node.recorded["auth"]["headers"]
    basic = aiohttp.encode_basic_auth("local", SECRET)
    for asked in node.plane.asked:
        assert asked.headers["User-Agent"] == expected["User-Agent"]
        assert asked.headers["Content-Type"] == expected["Content-Type"]
        assert asked.headers["Authorization"] == basic
        assert set(expected) <= set(asked.headers)
    ports = [asked.peer_port for asked in node.plane.asked]
    assert len(set(ports)) == len(ports)


async def test_where_credentials_arrive(node: Node) -> None:
    expected = node.recorded["auth"]["publish_forms"]
    paths = [node.new_path() for _ in expected]
    for path, body in zip(paths, expected, strict=True):
        await node.publish(path, body["query"])
    for path, body in zip(paths, expected, strict=True):
        asked = await node.plane.first_asked(path)
        names = ("user", "password", "token", "query")
        assert {n: asked.body[n] for n in names} == {n: body[n] for n in names}


async def test_the_commands_of_a_broadcast(node: Node) -> None:
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    await encoder.stop()
    for event in ("ready", "not_ready"):
        told = await node.plane.first_told(path, event)
        port = told.env["RTSP_PORT"]
        expected = node.recorded["hooks"][event] | {
            "MTX_PATH": path,
            "RTSP_PATH": path,
            "RTSP_PORT": port,
            "MTX_SOURCE_ID": source_id,
        }
        assert told.env == expected
    await gone(node, path)
    assert [told.event for told in node.plane.told_of(path)] == ["ready", "not_ready"]


async def test_the_lists_of_a_broadcast(node: Node) -> None:
    path = node.new_path()
    _, source_id = await node.go_live(path)
    expected = node.recorded["api"]
    listed = await node.path(path)
    assert listed is not None
    (recorded_path,) = expected["paths"]["body"]["items"]
    assert list(listed) == list(recorded_path)
    same = (
        "confName",
        "ready",
        "available",
        "online",
        "tracks",
        "inboundFramesInError",
    )
    assert {n: listed[n] for n in same} == {n: recorded_path[n] for n in same}
    assert listed["source"] == {"type": "rtmpConn", "id": source_id}
    status, alone = await node.api(f"paths/get/{path}")
    assert (status, list(alone)) == (200, list(recorded_path))
    await _see_connection(node, path, source_id, expected["rtmpconns"]["body"])


async def _see_connection(
    node: Node, path: str, source_id: str, expected: Json
) -> None:
    _, body = await node.api("rtmpconns/list")
    assert list(body) == list(expected)
    (item,) = [one for one in body["items"] if one["id"] == source_id]
    (recorded_item,) = expected["items"]
    assert list(item) == list(recorded_item)
    same = ("state", "query", "user", "outboundFramesDiscarded")
    assert {n: item[n] for n in same} == {n: recorded_item[n] for n in same}
    assert item["path"] == path
    assert item["inboundBytes"] == item["bytesReceived"] > 0


async def test_bytes_that_move(node: Node) -> None:
    path = node.new_path()
    await node.go_live(path)
    before = await node.path(path)
    assert before is not None

    async def look() -> bool:
        now = await node.path(path)
        return now is not None and now["inboundBytes"] > before["inboundBytes"]

    await until(look)


async def test_pages_of_a_list(node: Node) -> None:
    paths = [node.new_path() for _ in range(3)]
    await asyncio.gather(*(node.go_live(path) for path in paths))
    count = len(await node.items("paths"))
    _, first = await node.api("paths/list?itemsPerPage=2")
    assert (first["itemCount"], first["pageCount"]) == (count, -(-count // 2))
    _, second = await node.api("paths/list?itemsPerPage=2&page=1")
    names = [one["name"] for one in [*first["items"], *second["items"]]]
    assert names == sorted(names)
    assert len(first["items"]) == 2
    _, beyond = await node.api("paths/list?itemsPerPage=2&page=1000")
    assert beyond["items"] == []


async def test_an_encoder_without_the_right_key(node: Node) -> None:
    """v1.20.1 says why; v1.17.1 lets it begin, and hangs up."""
    queries = {node.new_path(): query for query in ("", "key=wrong", "user=u&pass=no")}
    encoders = [await node.publish(path, query) for path, query in queries.items()]
    for encoder in encoders:
        assert await encoder.ended() != 0
        said = encoder.log.read_text()
        assert ("Server error: authentication failed" in said) == node.is_new
    for path in queries:
        assert len(node.plane.asked_about(path, "publish")) == 1
        assert await node.path(path) is None
        assert node.plane.told_of(path) == []


async def test_the_word_for_a_refusal(node: Node) -> None:
    """OBS tries again for ever unless it hears this."""
    if not node.is_new:
        pytest.skip("v1.17.1 asks when it knows the tracks, and says nothing")
    async with calling(int(node.config.rtmp.rpartition(":")[2])) as caller:
        url = f"rtmp://{node.config.rtmp}/live"
        await caller.publish(url, f"{node.new_path()[5:]}?key=wrong")
        await caller.until_heard(b"NetStream.Publish.Unauthorized")
        await caller.until_hung_up()
        assert b"NetStream.Publish.Start" not in caller.heard


async def test_an_encoder_before_its_first_picture(node: Node) -> None:
    """It is a connection, and no path yet. v1.17.1 has not even asked."""
    path = node.new_path()
    async with calling(int(node.config.rtmp.rpartition(":")[2])) as caller:
        url = f"rtmp://{node.config.rtmp}/live"
        await caller.publish(url, f"{path[5:]}?key={KEY}", agent=path)
        await caller.until_heard(b"NetStream.Publish.Start")
        asked = node.plane.asked_about(path, "publish")
        assert len(asked) == node.is_new
        states = {
            (one["state"], one["path"], one["query"])
            for one in await node.items("rtmpconns")
            if one.get("userAgent", path) == path and one["path"] in ("", path)
        }
        assert states == {("idle", "", "")}
        assert await node.path(path) is None


async def test_a_path_that_no_entry_fits(node: Node) -> None:
    for path in ("other/1", "live/has.dot"):
        encoder = await node.publish(path)
        assert await encoder.ended() != 0
        assert node.plane.asked_about(path, "publish") == []


async def test_the_last_encoder_wins(node: Node) -> None:
    path = node.new_path()
    first, old = await node.go_live(path)
    second, new = await node.go_live(path, f"key={KEY}&n=2")
    assert old != new
    await node.plane.first_told(path, "not_ready", old)
    assert await first.ended() != 0
    assert second.running
    listed = await node.path(path)
    assert listed is not None
    assert listed["source"]["id"] == new
    told = [(one.event, one.env["MTX_SOURCE_ID"]) for one in node.plane.told_of(path)]
    assert sorted(told) == sorted([("ready", old), ("not_ready", old), ("ready", new)])


async def test_a_kick(node: Node) -> None:
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    expected = node.recorded["api"]["kick"]
    status, body = await node.api(f"rtmpconns/kick/{source_id}", "POST")
    assert (status, body) == (expected["status"], expected["body"])
    assert await encoder.ended(2.0) != 0
    await node.plane.first_told(path, "not_ready", source_id)
    assert source_id not in [one["id"] for one in await node.items("rtmpconns")]


async def test_a_kick_of_nobody(node: Node) -> None:
    expected = node.recorded["api"]["kick_missing"]
    status, body = await node.api(f"rtmpconns/kick/{NOBODY}", "POST")
    assert (status, body) == (expected["status"], expected["body"])


async def test_an_encoder_that_is_killed(node: Node) -> None:
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    await encoder.kill()
    await node.plane.first_told(path, "not_ready", source_id)
    await gone(node, path)


async def test_an_encoder_that_freezes(node: Node) -> None:
    """Nothing closes its connection: only readTimeout tells."""
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    encoder.process.send_signal(signal.SIGSTOP)
    frozen_at = time.monotonic()
    await node.plane.first_told(path, "not_ready", source_id)
    assert time.monotonic() - frozen_at > READ_TIMEOUT / 2
    assert source_id not in [one["id"] for one in await node.items("rtmpconns")]


async def test_no_program_of_an_encoder_outlives_it(node: Node) -> None:
    parent = psutil.Process(node.process.process.pid)
    before = set(parent.children(recursive=True))
    path = node.new_path()
    encoder, _ = await node.go_live(path)
    await encoder.stop()
    await node.plane.first_told(path, "not_ready")

    async def look() -> bool:
        now = {one for one in parent.children(recursive=True) if one.is_running()}
        return now <= before

    await until(look)


async def test_the_api_asks_about_its_callers(node: Node) -> None:
    asked: list[dict[str, object]] = []

    def look() -> bool:
        asked[:] = [
            dict(one.body)
            for one in node.plane.asked
            if one.body["action"] == "api" and one.body["query"] == "page=0"
        ]
        return bool(asked)

    url = f"http://{node.config.api}/v3/rtmpconns/list?page=0"
    async with node.http.get(url) as response:
        assert response.status == 401
    await node.plane.until(look)
    expected = node.recorded["auth"]["api"] | {"query": "page=0"}
    assert asked == [expected]
    assert list(asked[0]) == list(expected)


async def test_who_it_is(node: Node) -> None:
    expected = node.recorded["api"]["info"]["body"]
    _, body = await node.api("info")
    assert list(body) == list(expected)
    assert body["version"] == expected["version"]
