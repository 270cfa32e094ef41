"""The client of the control API, against the answers that real servers gave."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.live.model import nodes
from mediamtx.client import Client
from mediamtx.payloads import Connection, HlsSession, Info, Publisher, View
from tests.support.looking import look
from tests.support.ports import free_ports

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
VERSIONS = ["v1.3.0", "v1.17.1", "v1.20.1"]
TOLD = (0, "Main", 640, 360)  # frames in error, the picture
EMPTY: dict[str, Any] = {"itemCount": 0, "pageCount": 0, "items": []}


def recorded(version: str) -> dict[str, Any]:
    path = Path(__file__).parent / "recordings" / f"{version}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@contextlib.asynccontextmanager
async def asking(
    answer: Answer, user: str = "", password: str = "", patience: float = 60.0
) -> AsyncIterator[Client]:
    """A client of a node that answers every request with ``answer``."""
    app = web.Application()
    app.router.add_route("*", "/v3/{what:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield Client(http, str(server.make_url("/")), user, password, patience)


def saying(bodies: dict[str, Any]) -> Answer:
    """Answers by name; 404, as a list that the server lacks, for the others."""

    async def answer(request: web.Request) -> web.Response:
        body = bodies.get(request.match_info["what"])
        if body is None:
            return web.Response(status=404, text="404 page not found")
        return web.json_response(body)

    return answer


def page(*items: dict[str, Any]) -> dict[str, Any]:
    return {"itemCount": len(items), "pageCount": 1, "items": list(items)}


def path_of(name: str, source_id: str, **more: object) -> dict[str, Any]:
    source = {"type": "rtmpConn", "id": source_id}
    return {"name": name, "ready": True, "source": source, **more}


def connection(source_id: str, state: str, path: str) -> dict[str, Any]:
    return {
        "id": source_id,
        "state": state,
        "path": path,
        "query": f"key={source_id}",
        "remoteAddr": "192.0.2.7:40000",
    }


async def look_at(
    version: str, scenario: str
) -> tuple[View, list[Connection | HlsSession]]:
    async with asking(saying(recorded(version)[scenario])) as client:
        return await look(client)


async def test_the_service_knows_it_by_its_own_words() -> None:
    async with asking(saying(recorded("v1.20.1")["rtmp_read"])) as client:
        node: nodes.NodeApi = client
        readers: list[nodes.Reader] = []

        async def take(some: Sequence[nodes.Reader]) -> None:
            readers.extend(some)

        assert (await node.look(take)).answer == "answered"
    assert len(readers) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_lists_an_rtmp_publisher_and_its_reader(version: str) -> None:
    view, [reader] = await look_at(version, "rtmp_read")
    assert (view.answer, view.reason) == ("answered", "")
    [publisher] = view.publishers
    assert (publisher.path, publisher.source_type) == ("live/100", "rtmpConn")
    assert publisher.ready
    assert (reader.path, reader.address) == ("live/100", "127.0.0.1")
    assert reader.outbound_bytes > 200_000
    assert reader.reader_id != publisher.source_id
    # Before v1.4.2 no list shows a query.
    queries = ("", "") if version == "v1.3.0" else ("key=K3y_abc", "token=VIEW")
    assert (publisher.query, reader.query) == queries


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_tells_what_a_path_has_got(version: str) -> None:
    view, _ = await look_at(version, "rtmp_read")
    intake = view.publishers[0].intake
    assert intake is not None
    assert (intake.received or 0) > 200_000
    assert intake.codec == "H264"
    told = (intake.frames_in_error, intake.profile, intake.width, intake.height)
    # Before v1.17.0 there is only the codec's name.
    assert told == ((None, "", 0, 0) if version == "v1.3.0" else TOLD)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("scenario", "source_type"),
    [
        ("rtsp_publish_and_read", "rtspSession"),
        ("srt_read", "rtmpConn"),
        ("webrtc_whip_whep", "webRTCSession"),
    ],
)
async def test_it_lists_every_protocol(
    version: str, scenario: str, source_type: str
) -> None:
    view, [reader] = await look_at(version, scenario)
    assert [(p.source_type, p.ready) for p in view.publishers] == [(source_type, True)]
    assert reader.outbound_bytes > 0


async def test_it_lists_hls_sessions() -> None:
    view, readers = await look_at("v1.20.1", "hls_read_with_cookies")
    session_id = "8c269b21-f763-4ff2-826d-a413eee45bba"
    remote = "127.0.0.1:56400"
    expected = HlsSession(
        reader_id=session_id,
        path="live/100",
        query="token=VIEW",
        remote=remote,
        outbound_bytes=383595,
    )
    assert (readers, view.lists_hls) == ([expected], True)
    assert (expected.address, expected.outbound_bytes) == ("127.0.0.1", 383595)


@pytest.mark.parametrize("version", ["v1.3.0", "v1.17.1"])
async def test_it_says_that_a_server_lists_no_hls_viewers(version: str) -> None:
    view, readers = await look_at(version, "hls_read_with_cookies")
    assert (readers, view.lists_hls) == ([], False)
    assert len(view.publishers) == 1


async def test_it_leaves_out_the_session_of_a_cdn() -> None:
    session = {"id": "1", "path": "live/1", "query": "", "outboundBytes": 9}
    bodies = {"paths/list": EMPTY, "hlssessions/list": page({**session, "isCDN": True})}
    async with asking(saying(bodies)) as client:
        _, readers = await look(client)
    assert readers == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_tells_which_server_it_is(version: str) -> None:
    bodies = recorded(version)["rtmp_publish_key_in_query"]
    said = bodies.get("info", {"version": "", "started": ""})
    async with asking(saying(bodies)) as client:
        view, info = await client.look(), await client.info()
    assert view.started == said["started"]
    assert info == Info("answered", "", said["version"], said["started"])


async def test_it_lists_who_publishes_before_the_path_is_ready() -> None:
    waiting = {"name": "live/1", "ready": False, "source": None}
    conn = connection("a", "publish", "live/1")
    bodies = {"paths/list": page(waiting), "rtmpconns/list": page(conn)}
    async with asking(saying(bodies)) as client:
        view = await client.look()
    assert list(view.publishers) == [
        Publisher("live/1", "rtmpConn", "a", False, "key=a", "192.0.2.7")
    ]


async def test_it_lists_only_paths_that_an_encoder_feeds() -> None:
    """A path that is always available is ready without anyone publishing."""
    source = {"type": "rtspSource", "id": ""}
    paths = page(
        path_of("live/1", "a", online=True),
        path_of("live/2", "b", online=False),
        {"name": "live/3", "ready": True, "online": False, "source": None},
        {"name": "live/4", "ready": True, "source": source},
    )
    async with asking(saying({"paths/list": paths})) as client:
        assert [p.path for p in (await client.look()).publishers] == ["live/1"]


async def test_it_misses_no_publisher_that_turns_ready_in_the_middle() -> None:
    """Paths are answered just before, connections just after."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        what = request.match_info["what"]
        asked.append(what)
        if what == "rtmpconns/list":
            assert "paths/list" in asked
            return web.json_response(page(connection("a", "publish", "live/1")))
        return web.json_response(EMPTY)

    async with asking(answer) as client:
        view = await client.look()
    assert [(p.source_id, p.ready) for p in view.publishers] == [("a", False)]


async def test_it_joins_the_query_of_a_publisher_that_just_turned_ready() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.match_info["what"] == "paths/list":
            ready.set()
            return web.json_response(page(path_of("live/1", "a")))
        state = "publish" if ready.is_set() else "idle"
        return web.json_response(page(connection("a", state, "live/1")))

    ready = asyncio.Event()
    async with asking(answer) as client:
        [publisher] = (await client.look()).publishers
    assert publisher[:6] == ("live/1", "rtmpConn", "a", True, "key=a", "192.0.2.7")


async def test_a_quiet_node_without_a_path_is_asked_no_more() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.match_info["what"])
        return web.json_response(EMPTY)

    async with asking(answer) as client:
        assert (await client.look(quiet=True)).answer == "answered"
    assert sorted(asked) == ["info", "paths/list"]


async def test_a_quiet_node_with_a_path_tells_all() -> None:
    bodies = {
        "paths/list": page(path_of("live/1", "a")),
        "rtmpconns/list": page(connection("a", "publish", "live/1")),
    }
    async with asking(saying(bodies)) as client:
        view = await client.look(quiet=True)
    assert [one.query for one in view.publishers] == ["key=a"]


async def test_it_reads_all_pages() -> None:
    sessions = [
        {"id": f"{n}", "path": "live/1", "query": "", "outboundBytes": n}
        for n in range(12_000)
    ]

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["what"] != "hlssessions/list":
            return web.json_response(EMPTY)
        return web.json_response(slice_of(sessions, request))

    async with asking(answer) as client:
        _, readers = await look(client)
    # The first page is read again at the end, for those who moved to it meanwhile.
    assert {reader.reader_id for reader in readers} == {s["id"] for s in sessions}


def slice_of(
    items: list[dict[str, Any]], request: web.Request, most: int = 10**9
) -> dict[str, Any]:
    per_page = min(int(request.query["itemsPerPage"]), most)
    start = int(request.query["page"]) * per_page
    pages = -(-len(items) // per_page)
    part = items[start : start + per_page]
    return {"itemCount": len(items), "pageCount": pages, "items": part}


async def test_it_misses_nobody_when_an_older_one_leaves_between_pages() -> None:
    conns = [connection(f"{n}", "publish", f"live/{n}") for n in range(7)]

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["what"] != "rtmpconns/list":
            return web.json_response(EMPTY)
        body = slice_of(conns, request, most=2)
        if len(conns) > 4:
            del conns[0]
        return web.json_response(body)

    async with asking(answer) as client:
        view = await client.look()
    ids = [publisher.source_id for publisher in view.publishers]
    assert {"3", "4", "5", "6"} <= set(ids)
    assert len(ids) == len(set(ids))


async def test_it_sends_its_name_and_password() -> None:
    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if given != aiohttp.encode_basic_auth("control", "s3cret"):
            return web.Response(status=401)
        return web.json_response(EMPTY)

    async with asking(answer, "control", "s3cret") as client:
        assert (await client.look()).answer == "answered"
    async with asking(answer, "control", "wr0ng") as client:
        view = await client.look()
        assert await client.kick("rtmpConn", "1") == "unknown"
    assert view.answer == "silent"
    assert "401" in view.reason
    assert "wr0ng" not in view.reason


async def test_a_closed_port_is_a_refusal() -> None:
    async with aiohttp.ClientSession() as http:
        client = Client(http, f"http://127.0.0.1:{free_ports(1)[0]}")
        assert await client.look() == View("refused", "connection refused")
        assert (await client.info()).answer == "refused"
        assert await client.kick("rtmpConn", "1") == "unknown"


async def test_one_that_takes_long_for_all_is_not_silent() -> None:
    """Its patience is for each answer: many readers are many pages."""
    sessions = [
        {"id": f"{n}", "path": "live/1", "query": "", "outboundBytes": n}
        for n in range(12)
    ]

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["what"] != "hlssessions/list":
            return web.json_response(EMPTY)
        await asyncio.sleep(0.8)
        return web.json_response(slice_of(sessions, request, most=2))

    async with asking(answer, patience=4.0) as client:
        view, readers = await look(client)
    assert view.answer == "answered"
    assert {reader.reader_id for reader in readers} == {s["id"] for s in sessions}


async def test_no_answer_is_silence() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.match_info["what"] == "paths/list":
            await released.wait()
        return web.json_response(EMPTY)

    released = asyncio.Event()
    async with asking(answer, patience=0.3) as client:
        began = time.monotonic()
        view = await client.look()
        took = time.monotonic() - began
        released.set()
    assert view == View("silent", "no answer within 0.3 s")
    assert took < 20


async def broken(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def fixed(status: int, text: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        fixed(401, ""),
        fixed(404, "404 page not found"),
        fixed(500, '{"error":"terminated"}'),
        fixed(302, ""),
        fixed(200, "<html>"),
        fixed(200, "\ufffd"),
        fixed(200, "[]"),
        fixed(200, '{"items": 1}'),
        fixed(200, '{"items": [1]}'),
        fixed(200, '{"items": [null], "pageCount": 2}'),
        fixed(200, '{"items": [{"name": "live/1", "ready": true, "source": "x"}]}'),
        fixed(200, '{"items": [{"name": "live/1", "ready": true, "source": {}}]}'),
        broken,
    ],
)
async def test_any_other_answer_is_silence(answer: Answer) -> None:
    async with asking(answer) as client:
        view = await client.look()
    assert view.answer == "silent"
    assert view.reason


async def test_a_connection_without_a_state_is_another_shape() -> None:
    """Taken for nobody, it would make a publisher look gone."""
    conn = {"id": "a", "path": "live/1"}
    async with asking(
        saying({"paths/list": EMPTY, "rtmpconns/list": page(conn)})
    ) as client:
        assert await client.look() == View("silent", "its lists have another shape")


async def test_a_list_that_fails_makes_the_whole_look_silent() -> None:
    """Half a view would make publishers look gone."""

    async def answer(request: web.Request) -> web.Response:
        status = 500 if request.match_info["what"] == "srtconns/list" else 200
        return web.json_response(EMPTY, status=status)

    async with asking(answer) as client:
        view = await client.look()
    assert view == View("silent", "it answered 500 to srtconns/list")


async def test_a_look_that_failed_leaves_a_time_out_around_it_as_it_was() -> None:
    async def wait_long_after_a_look(client: Client) -> None:
        async with asyncio.timeout(None) as limit:
            await client.look()
            limit.reschedule(asyncio.get_running_loop().time())
            await asyncio.Event().wait()

    async with asking(fixed(503, "")) as client:
        with pytest.raises(TimeoutError):
            await wait_long_after_a_look(client)


async def test_whoever_looks_can_be_told_to_stop_while_it_fails() -> None:
    looking: asyncio.Task[View]

    async def answer(request: web.Request) -> web.Response:
        looking.cancel()
        return web.Response(status=503)

    async with asking(answer) as client:
        looking = asyncio.create_task(client.look())
        await asyncio.wait([looking])
    assert looking.cancelled()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("case", "result"), [("there", "kicked"), ("missing", "missing")]
)
async def test_it_kicks(version: str, case: str, result: str) -> None:
    said = recorded(version)["kick"][case]
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.json_response(said["body"], status=said["status"])

    async with asking(answer) as client:
        assert await client.kick("rtmpConn", "07fb1cdb") == result
    assert asked == ["POST /v3/rtmpconns/kick/07fb1cdb"]


async def test_one_that_says_nothing_more_is_not_asked_about_each_viewer() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST":
            asked.append(request.match_info["what"])
            await released.wait()
        conns = [connection(one, "read", "live/1") for one in "abc"]
        return web.json_response(page(*conns))

    released = asyncio.Event()
    async with asking(answer, patience=0.3) as client:
        assert await client.kick_readers(lambda _: True) == "silent"
        released.set()
    assert len(asked) == 1


async def test_a_kick_that_fails_is_unknown() -> None:
    async with asking(fixed(500, '{"error":"terminated"}')) as client:
        assert await client.kick("srtConn", "1") == "unknown"
        assert await client.kick("rtspSource", "1") == "unknown"
