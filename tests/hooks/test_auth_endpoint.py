"""POST /hooks/mediamtx/<node>/auth, with the payloads of every server generation."""

import asyncio
import secrets
import time
from typing import Any

import aiohttp
import asyncpg
import pytest

from control_plane.base.secrets import Secrets
from control_plane.base.tokens import ViewerToken, sign_viewer
from control_plane.live.model.viewers import PREVIEWER
from control_plane.live.service.hints import FLUSH_EVERY
from tests.hooks.conftest import SECRET, Json, Service, publish, read
from tests.support.stack import until

GENERATIONS = {
    "v1.3": ("ip", "user", "password", "path", "protocol", "id", "action", "query"),
    "v1.6": ("ip", "user", "password", "action", "path", "protocol", "id", "query"),
    "v1.12.3": (
        *("ip", "user", "password", "token", "action", "path", "protocol"),
        *("id", "query"),
    ),
    "v1.19": (
        *("ip", "user", "password", "token", "action", "path", "protocol"),
        *("id", "query", "userAgent"),
    ),
}


def as_sent_by(version: str, payload: Json) -> Json:
    return {name: payload[name] for name in GENERATIONS[version]}


@pytest.mark.parametrize("version", GENERATIONS)
async def test_a_key_opens_its_path_for_every_generation(
    service: Service, version: str
) -> None:
    live, _token = await service.go_live()
    good = publish(live["path"], live["key"])
    assert await service.lets_in(as_sent_by(version, good))
    bad = publish(live["path"], "x" * 27)
    assert await service.auth(as_sent_by(version, bad)) == 401


@pytest.mark.parametrize(
    "where",
    [
        {"token": "KEY"},
        {"password": "KEY", "user": "key"},
        {"query": "key=KEY"},
        {"query": "user=u&pass=KEY"},
        {"query": "token=KEY"},
        {"query": "jwt=KEY"},
        {"query": "a=b&jwt=KEY"},
        {"password": "other", "query": "a=b&key=KEY"},
    ],
)
async def test_a_key_is_found_wherever_it_arrives(
    service: Service, where: dict[str, str]
) -> None:
    live, _token = await service.go_live()
    given = {name: text.replace("KEY", live["key"]) for name, text in where.items()}
    assert await service.lets_in(publish(live["path"], "", **given))


async def test_unknown_fields_do_not_matter(service: Service) -> None:
    live, _token = await service.go_live()
    payload = publish(live["path"], live["key"], somethingNew={"a": [1]})
    assert await service.lets_in(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"action": 7}',
        b'{"action": "publish", "path": null, "query": "key=x"}',
        b'{"action": "fly", "path": "live/1"}',
        b"[" * 50_000,
    ],
)
async def test_nonsense_is_denied(service: Service, payload: bytes) -> None:
    assert await service.auth(payload) == 401


async def test_a_node_needs_its_own_secret(service: Service) -> None:
    live, _token = await service.go_live()
    good = publish(live["path"], live["key"])
    assert await service.auth(good, secret="wrong") == 401
    async with service.http.post(f"{service.hooks}/auth", json=good) as response:
        assert response.status == 401
    other = f"{service.hooks.rpartition('/')[0]}/other/auth"
    basic = {"Authorization": aiohttp.encode_basic_auth("local", service.secret)}
    async with service.http.post(other, json=good, headers=basic) as response:
        assert response.status == 401


async def test_operating_a_node_needs_its_api_password(service: Service) -> None:
    password = Secrets(SECRET).node_api("local")
    for action in ("api", "metrics", "pprof"):
        payload = publish("", "", action=action, protocol="", id=None)
        good = payload | {"user": "control-plane", "password": password}
        assert await service.auth(good) == 200
        assert await service.auth(payload) == 401
        assert await service.auth(good | {"password": "wrong"}) == 401


async def test_reading_needs_an_open_session(service: Service) -> None:
    live, token = await service.go_live()
    assert await service.auth(read("live/999999")) == 401
    await service.publish(live)
    assert await service.auth(read(live["path"])) == 200
    playback = read(live["path"], action="playback", protocol="", id=None)
    assert await service.auth(playback) == 200
    await service.ask("liveStream", {"id": live["id"], "ended_at": "x"}, token)

    async def denied() -> bool:  # a notice takes milliseconds
        return await service.auth(read(live["path"])) == 401

    assert await until(denied)


async def test_a_viewer_is_counted_from_its_read_at_once(service: Service) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    # Until a list tells more, the address tells viewers apart: players try again.
    hls = (("10.0.0.1", "one"), ("10.0.0.2", "two"), ("10.0.0.2", "three"))
    asked = [read(live["path"], id=reader, ip=ip) for ip, reader in hls]
    # An old node names no session and asks about every request, of whatever query.
    old = (("10.0.0.3", "x=1"), ("10.0.0.3", "x=2"), ("2001:db8::1", ""))
    asked += [read(live["path"], id=None, ip=ip, query=query) for ip, query in old]
    asked.append(read(live["path"], id=None, ip="2001:db8::2"))

    async def four() -> bool:
        for payload in asked:
            assert await service.auth(payload) == 200
        return await _viewers(service, live) == 4

    assert await until(four)
    assert await _viewers(service, live) == 4


async def test_who_takes_pictures_is_let_in_and_no_viewer(service: Service) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    asked = []
    for name in (PREVIEWER, "somebody"):
        viewer = ViewerToken(name, live["path"], 0, int(time.time()) + 600)
        token = sign_viewer(Secrets(SECRET).viewer_tokens(), viewer)
        for reader in (None, f"reader of {name}"):  # of an old node and of a new one
            asked.append(read(live["path"], id=reader, query=f"token={token}"))

    async def counted() -> bool:
        for payload in asked:
            assert await service.auth(payload) == 200
        return await _viewers(service, live) > 0

    await until(counted)
    assert await _viewers(service, live) == 1


async def test_who_waits_for_a_broadcast_to_come_back_is_no_viewer(
    service: Service,
) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    assert await service.hook("not_ready", live["path"], "source-1") == 204
    await until(lambda: _not_counted(service, live))
    await service.publish(live, "source-2")

    async def counted() -> bool:
        assert await service.auth(read(live["path"], id=None, ip="10.0.0.2")) == 200
        return await _viewers(service, live) > 0

    await until(counted)
    assert await _viewers(service, live) == 1


async def _viewers(service: Service, live: Json) -> int:
    shown = await service.ask("showLiveStream", {"id": live["id"]})
    return int(shown["LiveStreaming"]["viewers"])


async def test_more_encoders_than_a_flapping_phone_has(service: Service) -> None:
    live, _token = await service.go_live()
    assert await service.lets_in(publish(live["path"], live["key"], id="source-0"))
    answers = [
        await service.auth(publish(live["path"], live["key"], id=f"source-{n}"))
        for n in range(1, 8)
    ]
    assert answers == [200] * 5 + [401] * 2


async def test_what_only_asks_whether_it_might_publish_is_no_encoder(
    service: Service,
) -> None:
    """MediaMTX's page, and OPTIONS."""
    live, _token = await service.go_live()
    asked = publish(live["path"], live["key"], protocol="webrtc", id=None)
    assert await service.lets_in(asked)
    only_ask = [await service.auth(asked) for _ in range(10)]
    come = [await service.auth(asked | {"id": f"source-{n}"}) for n in range(6)]
    assert only_ask + come == [200] * 16


class TestTokensRequired:
    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"CONTROL_PLANE_PLAYBACK": "token"}

    async def _token(self, service: Service, live: Json) -> str:
        msg = await service.ask("watch", {"id": live["id"]})
        return str(msg["Watch"]["token"])

    async def test_a_token_opens_its_path_only(self, service: Service) -> None:
        live, _t = await service.go_live()
        other, _t = await service.go_live("bob")
        query = f"token={await self._token(service, live)}"
        assert await service.lets_in(read(live["path"], query=query))
        assert await service.auth(read(other["path"], query=query)) == 401
        assert await service.auth(read(live["path"])) == 401
        assert await service.auth(read(live["path"], query="token=x.y")) == 401
        assert await service.auth(publish(live["path"], "", query=query)) == 401

    async def test_a_token_that_came_in_a_header_is_in_the_query_of_some_versions(
        self, service: Service
    ) -> None:
        live, _t = await service.go_live()
        query = f"jwt={await self._token(service, live)}"
        payload = as_sent_by("v1.6", read(live["path"], id=None, query=query))
        assert await service.lets_in(payload)

    async def test_children_without_a_query_on_the_oldest_nodes(
        self, service: Service
    ) -> None:
        """Before v1.8.3 the address that the master's token let in goes on."""
        live, _t = await service.go_live()
        query = f"token={await self._token(service, live)}"
        master = as_sent_by("v1.3", read(live["path"], id=None, query=query))
        child = as_sent_by("v1.3", read(live["path"], id=None))
        assert await service.auth(child) == 401
        assert await service.lets_in(master)
        assert await service.auth(child) == 200
        assert await service.auth(child | {"ip": "192.0.2.9"}) == 401
        # Newer ones keep the query, so there an address alone opens nothing.
        newer = read(live["path"], id=None)
        assert await service.auth(newer) == 401

    async def test_a_denied_viewer_shuts_out_nobody_else_behind_its_address(
        self, service: Service
    ) -> None:
        live, host = await service.go_live()
        denied = (await service.ask("watch", {"id": live["id"]}))["Watch"]
        who = {"id": live["id"], "viewer": denied["viewer"]}
        await service.ask("denyViewer", who, host)
        child = as_sent_by("v1.3", read(live["path"], id=None))
        elsewhere = child | {"query": f"token={denied['token']}", "ip": "192.0.2.9"}

        async def is_denied() -> bool:  # a notice takes milliseconds
            return await service.auth(elsewhere) == 401

        assert await until(is_denied)
        query = f"token={await self._token(service, live)}"
        assert await service.auth(child | {"query": query}) == 200
        assert await service.auth(elsewhere | {"ip": child["ip"]}) == 401
        assert await service.auth(child) == 200


async def test_what_happens_while_postgres_says_nothing(
    service: Service, database_url: str
) -> None:
    """A warm decision needs no Postgres; a cold one is a refusal, in time."""
    live, _token = await service.go_live()
    await service.publish(live)
    locked = await asyncpg.connect(database_url)

    async def answered_meanwhile() -> bool:
        assert await service.auth(read(live["path"])) == 200
        async with locked.transaction():
            await locked.execute("LOCK TABLE live_streaming_sessions, stream_keys")
            begin = asyncio.get_running_loop().time()
            answers = [
                await service.auth(read(live["path"])),
                await service.auth(publish(live["path"], live["key"])),
                await service.auth(read("live/31337")),
            ]
            in_time = asyncio.get_running_loop().time() - begin < 1.0
        return in_time and answers == [200, 200, 401]

    try:
        # Again, since the notice of the broadcast itself may come after the lock.
        await until(answered_meanwhile)
    finally:
        await locked.close()


async def test_the_public_listener_serves_no_hook_and_no_metrics(
    service: Service,
) -> None:
    base = f"http://127.0.0.1:{service.ports.public}"
    basic = {"Authorization": aiohttp.encode_basic_auth("local", service.secret)}
    url = f"{base}/hooks/mediamtx/local/auth"
    async with service.http.post(url, json={}, headers=basic) as response:
        answer: Any = await response.json()
        assert answer["code"] == 201
    async with service.http.get(f"{base}/metrics") as response:
        assert response.status in (404, 405)


async def test_metrics_name_reasons_and_no_secret(service: Service) -> None:
    live, _token = await service.go_live()
    await service.lets_in(publish(live["path"], live["key"]))
    await service.auth(publish(live["path"], "y" * 27))
    url = f"http://127.0.0.1:{service.ports.internal}/metrics"
    async with service.http.get(url) as response:
        text = await response.text()
    assert 'action="publish",reason="wrong_key"' in text
    assert live["key"] not in text
    assert "y" * 27 not in text


async def _not_counted(service: Service, live: Json) -> bool:
    """A read of one who waits, each time from elsewhere, and nobody is counted."""
    address = f"10.1.1.{secrets.randbelow(250)}"
    assert await service.auth(read(live["path"], id=None, ip=address)) == 200
    await asyncio.sleep(1.2 * FLUSH_EVERY)
    return await _viewers(service, live) == 0
