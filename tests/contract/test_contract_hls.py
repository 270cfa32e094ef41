"""A viewer's way in and out, as the recordings have it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
import pytest_asyncio

from mediamtx.hls import newest
from tests.contract.node import Node, Seen
from tests.contract.plane import Answer
from tests.contract.recorded import Json
from tests.support import media

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENT = "viewer/1.0"
NOBODY = "00000000-0000-0000-0000-000000000000"
LIVE = "live/main"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def main(shared_node: Node) -> AsyncIterator[None]:
    """One broadcast for all who only watch, with segments."""
    encoder, _ = await shared_node.go_live(LIVE)
    shared_node.keep(encoder)
    assert (await shared_node.master(LIVE, "token=VIEW")).status == 200
    yield
    await encoder.kill()


def children(playlist: Seen) -> list[str]:
    """The URLs in a playlist, in order."""
    found = re.findall(r'^[^#\n].*$|(?<=URI=")[^"]+', playlist.text, re.MULTILINE)
    return [str(one) for one in found]


def looks_like(seen: Seen, expected: Json, *headers: str) -> None:
    assert (seen.status, seen.text) == (expected["status"], expected["body"])
    same_headers(seen, expected["headers"], "Content-Type", *headers)


def same_headers(seen: Seen, expected: Mapping[str, str], *names: str) -> None:
    always = ("Access-Control-Allow-Origin", "Location", "Set-Cookie")
    for name in (*always, "WWW-Authenticate", *names):
        assert seen.headers.get(name) == expected.get(name), name


async def playing(node: Node, path: str, query: str = "token=VIEW") -> str:
    """A viewer's first media playlist: its URL from the host on."""
    master = await node.master(path, query)
    assert master.status == 200
    return f"/{path}/{children(master)[-1]}"


async def test_the_cookie_check(node: Node, main: None) -> None:
    """Answered to everybody, without asking."""
    if not node.is_new:
        pytest.skip("v1.17.1 has no HLS sessions")
    before = len(node.plane.asked_about(LIVE))
    seen = await node.get(f"/{LIVE}/index.m3u8?token=VIEW")
    expected = node.recorded["hls"]["redirect"]
    location = expected["headers"]["Location"].replace("live/100", LIVE)
    assert (seen.status, seen.text) == (302, "")
    same_headers(seen, expected["headers"] | {"Location": location})
    several = await node.get(f"/{LIVE}/index.m3u8?token=VIEW&n=1")
    assert several.headers["Location"].endswith("?cookieCheck=1&n=1&token=VIEW")
    assert len(node.plane.asked_about(LIVE)) == before


async def test_the_question_about_a_viewer(node: Node, main: None) -> None:
    before = len(node.plane.asked_about(LIVE))
    await node.master(LIVE, "token=VIEW", **{"User-Agent": AGENT})
    (asked,) = node.plane.asked_about(LIVE)[before:]
    expected = node.recorded["auth"]["read"]
    assert list(asked.body) == list(expected)
    changes = {"path": LIVE, "id": asked.body["id"]}
    if node.is_new:
        changes["userAgent"] = AGENT
    assert asked.body == expected | changes
    assert (asked.body["id"] is not None) == node.is_new


async def test_its_newest_segment(node: Node, main: None) -> None:
    """As whoever takes pictures of streams fetches it: one question, from v1.18.0
    on."""
    before = len(node.plane.asked_about(LIVE))
    found = await newest(
        node.http, f"http://{node.config.hls}/{LIVE}/index.m3u8", "VIEW"
    )
    asked = node.plane.asked_about(LIVE)[before:]
    assert len(asked) == (1 if node.is_new else 4)
    assert {one.body["query"] for one in asked} == {"token=VIEW"}
    assert found is not None
    assert found.data[4:8] == b"ftyp"
    assert b"moof" in found.data
    assert all(0.4 < seconds < 2.1 for seconds in found.durations)
    assert found.fps == pytest.approx(media.FPS, rel=0.2)
    assert found.codecs.startswith("avc1.")


async def test_where_a_viewers_credentials_arrive(node: Node, main: None) -> None:
    before = len(node.plane.asked_about(LIVE))
    await node.master(LIVE, Authorization="Bearer VIEW")
    await node.master(LIVE, Authorization="Basic djpWSUVX")
    await node.master(LIVE, "pass=VIEW&user=v")
    names = ("user", "password", "token", "query")
    for asked, expected in zip(
        node.plane.asked_about(LIVE)[before:],
        node.recorded["auth"]["read_forms"],
        strict=True,
    ):
        assert {n: asked.body[n] for n in names} == {n: expected[n] for n in names}


async def test_a_viewers_session(node: Node, main: None) -> None:
    """One question for all of it; what the URLs hold is not the id."""
    if not node.is_new:
        pytest.skip("v1.17.1 has no HLS sessions")
    before = len(node.plane.asked_about(LIVE))
    media = await playing(node, LIVE, "zoo=1&token=VIEW&a=b")
    (asked,) = node.plane.asked_about(LIVE)[before:]
    session = re.search(r"\?a=b&session=([0-9a-f-]{36})&token=VIEW&zoo=1$", media)
    assert session is not None
    assert session[1] != asked.body["id"]
    playlist = await node.get(media)
    assert playlist.status == 200
    same_headers(
        playlist,
        node.recorded["hls"]["media"]["headers"],
        "Content-Type",
        "Cache-Control",
    )
    for url in children(playlist):
        assert url.endswith(media.partition("?")[2])
    segment = await node.get(f"/{LIVE}/{children(playlist)[-1]}")
    assert segment.status == 200
    same_headers(segment, node.recorded["hls"]["segment"]["headers"], "Content-Type")
    assert len(node.plane.asked_about(LIVE)) == before + 1


async def test_a_session_in_the_lists(node: Node, main: None) -> None:
    expected = node.recorded["api"]["hlssessions"]
    if not node.is_new:
        assert (await node.api("hlssessions/list"))[0] == expected["status"] == 404
        return
    before = len(node.plane.asked_about(LIVE))
    media = await playing(node, LIVE)
    id_ = node.plane.asked_about(LIVE)[before].body["id"]
    listed = await session_item(node, id_)
    (recorded_item,) = expected["body"]["items"]
    assert list(listed) == list(recorded_item)
    assert (listed["path"], listed["query"], listed["isCDN"]) == (
        LIVE,
        "token=VIEW",
        False,
    )
    sent = listed["outboundBytes"]
    await node.get(media)
    assert (await session_item(node, id_))["outboundBytes"] > sent
    path = await node.path(LIVE)
    assert path is not None
    assert {"type": "hlsSession", "id": id_} in path["readers"]


async def session_item(node: Node, id_: str) -> Json:
    (found,) = [one for one in await node.items("hlssessions") if one["id"] == id_]
    return found


async def test_a_session_at_another_address(node: Node, main: None) -> None:
    if not node.is_new:
        pytest.skip("v1.17.1 has no HLS sessions")
    media = await playing(node, LIVE)
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.2", 0))
        except OSError:
            pytest.skip("127.0.0.2 is no address of this machine")
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.get(f"http://{node.config.hls}{media}") as answer,
    ):
        assert answer.status == 401
    assert (await node.get(media)).status == 200


async def test_viewers_before_there_were_sessions(node: Node, main: None) -> None:
    """A question for each playlist and segment; one nameless reader for all."""
    if node.is_new:
        pytest.skip("v1.20.1 has HLS sessions")
    before = len(node.plane.asked_about(LIVE))
    media = await playing(node, LIVE)
    assert media.endswith("?token=VIEW")
    playlist = await node.get(media)
    segment = children(playlist)[-1]
    assert segment.endswith("?token=VIEW")
    assert (await node.get(f"/{LIVE}/{segment}")).status == 200
    asked = node.plane.asked_about(LIVE)[before:]
    assert [one.body["id"] for one in asked] == [None] * 3
    path = await node.path(LIVE)
    assert path is not None
    (recorded_path,) = node.recorded["api"]["read_paths"]["body"]["items"]
    assert path["readers"] == recorded_path["readers"]


@pytest.mark.parametrize(
    ("name", "query", "bearer"),
    [
        ("nothing", "", ""),
        ("wrong_query", "token=wrong", ""),
        ("wrong_bearer", "", "Bearer wrong"),
    ],
)
async def test_a_viewer_who_may_not(
    node: Node, main: None, name: str, query: str, bearer: str
) -> None:
    """Only who sent no credentials of HTTP's own is asked for them."""
    headers = {"Authorization": bearer} if bearer else {}
    seen = await node.master(LIVE, query, **headers)
    looks_like(seen, node.recorded["hls"][name])


async def test_a_stream_that_is_not_there(node: Node) -> None:
    """Told only to those who may watch it."""
    path = node.new_path()
    seen = await node.master(path, "token=VIEW")
    expected = node.recorded["hls"]["no_stream"]
    looks_like(seen, expected | {"body": expected["body"].replace("live/999", path)})
    assert len(node.plane.asked_about(path)) == 1
    assert (await node.master(path, "token=no")).status == 401


async def test_the_nodes_own_page(node: Node, main: None) -> None:
    before = len(node.plane.asked_about(LIVE))
    looks_like(await node.get(f"/{LIVE}/"), node.recorded["hls"]["page"])
    (asked,) = node.plane.asked_about(LIVE)[before:]
    assert asked.body == node.recorded["auth"]["page"] | {"path": LIVE}
    assert (await node.get(f"/{LIVE}/?token=VIEW")).status == 200


async def test_a_child_without_a_session(node: Node, main: None) -> None:
    name = (await playing(node, LIVE)).partition("?")[0]
    before = len(node.plane.asked_about(LIVE))
    looks_like(await node.get(name), node.recorded["hls"]["child"])
    if node.is_new:
        wrong = await node.get(f"{name}?session={NOBODY}&token=VIEW")
        looks_like(wrong, node.recorded["hls"]["child"])
    assert (len(node.plane.asked_about(LIVE)) == before) == node.is_new


async def test_a_path_that_no_entry_fits(node: Node) -> None:
    seen = await node.master("other/1", "token=VIEW")
    assert seen.status == (500 if node.is_new else 404)
    assert node.plane.asked_about("other/1") == []


async def test_a_kicked_viewer(node: Node, main: None) -> None:
    if not node.is_new:
        pytest.skip("v1.17.1 has no HLS sessions")
    before = len(node.plane.asked_about(LIVE))
    media = await playing(node, LIVE)
    id_ = node.plane.asked_about(LIVE)[before].body["id"]
    status, body = await node.api(f"hlssessions/kick/{id_}", "POST")
    expected = node.recorded["api"]["kick_session"]
    assert (status, body) == (expected["status"], expected["body"])
    looks_like(await node.get(media), node.recorded["hls"]["kicked"])
    assert id_ not in [one["id"] for one in await node.items("hlssessions")]
    assert await playing(node, LIVE) != media
    status, body = await node.api(f"hlssessions/kick/{NOBODY}", "POST")
    assert (status, body["status"]) == (404, "error")


async def test_a_publisher_who_leaves_and_returns(node: Node) -> None:
    path = node.new_path()
    encoder, _ = await node.go_live(path)
    media = await playing(node, path)
    await encoder.stop()
    await node.plane.first_told(path, "not_ready")
    looks_like(await node.get(media), node.recorded["hls"]["ended"])
    asked = len(node.plane.asked_about(path))
    assert (await node.master(path, "token=VIEW")).status == 404
    assert len(node.plane.asked_about(path)) == asked + 1
    await node.go_live(path)
    again = await playing(node, path)
    assert (await node.get(again)).status == 200
    if node.is_new:
        looks_like(await node.get(media), node.recorded["hls"]["ended"])


async def test_viewers_of_a_publisher_who_is_replaced(node: Node) -> None:
    path = node.new_path()
    await node.go_live(path)
    media = await playing(node, path)
    await node.go_live(path, "key=K3y_abc&n=2")
    await node.plane.first_told(path, "not_ready")
    if node.is_new:
        looks_like(await node.get(media), node.recorded["hls"]["ended"])
    assert (await node.get(await playing(node, path))).status == 200


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (Answer(204), True),
        (Answer(200, body="no!"), True),
        (Answer(302, location="/login"), True),
        (Answer(307, location="/login"), True),
        (Answer(302, location="/nowhere"), False),
        (Answer(403, body="secret reason"), False),
        (Answer(404), False),
        (Answer(500), False),
    ],
)
async def test_what_counts_as_yes(
    node: Node, main: None, answer: Answer, allowed: bool
) -> None:
    """2xx does, and a redirect that ends in it; nothing of ours reaches the viewer."""
    node.plane.answers[LIVE] = answer
    try:
        seen = await node.master(LIVE, "token=VIEW")
    finally:
        del node.plane.answers[LIVE]
    if allowed:
        assert seen.status == 200
    else:
        looks_like(seen, node.recorded["hls"]["nothing"])


async def test_no_answer_is_a_no(node: Node, main: None) -> None:
    node.plane.held[LIVE] = asyncio.Event()
    try:
        seen = await node.master(LIVE, "token=VIEW")
    finally:
        node.plane.held.pop(LIVE).set()
    looks_like(seen, node.recorded["hls"]["nothing"])
