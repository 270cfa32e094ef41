"""What reaches the nodes' listener that no node would send."""

import asyncio
import gzip
import json

import aiohttp
import pytest
from structlog.testing import capture_logs

import hooks.connection
from tests.hooks.conftest import Service, publish, read


async def answer(service: Service, raw: bytes) -> bytes:
    """The first line; nothing when the server hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.ports.internal)
    try:
        writer.write(raw)
        async with asyncio.timeout(60.0):
            return (await reader.readline()).strip()
    finally:
        writer.close()


HEAD = b"POST /hooks/mediamtx/local/%s HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize("event", [b"auth", b"ready"])
async def test_a_secret_that_is_no_text_is_refused(
    service: Service, event: bytes
) -> None:
    for secret in (b"\xff", b"Basic \xff"):
        raw = HEAD % event + b"Authorization: %s\r\nContent-Length: 0\r\n\r\n" % secret
        assert await answer(service, raw) == b"HTTP/1.1 401 Unauthorized"


async def test_half_a_message_is_not_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks.connection, "WHOLE_WITHIN", 0.2)
    raw = HEAD % b"auth" + b"Content-Length: 100\r\n\r\n{"
    assert await answer(service, raw) == b"HTTP/1.1 408 Request Timeout"


async def test_a_zero_byte_is_no_part_of_a_path(service: Service) -> None:
    with capture_logs() as lines:
        assert await service.auth(read("live/1\x00")) == 401
        assert await service.hook("ready", "live/1\x00", "s1") == 400
        assert await service.hook("not_ready", "live/1", "s1\x00") == 400
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_nothing_is_unpacked(service: Service) -> None:
    live, _ = await service.go_live()
    payload = publish(live["path"], live["key"])
    assert await service.lets_in(payload)
    basic = aiohttp.encode_basic_auth(service.node, service.secret)
    packed = gzip.compress(json.dumps(payload).encode())
    headers = {"Authorization": basic, "Content-Encoding": "gzip"}
    url = f"{service.hooks}/auth"
    async with service.http.post(url, data=packed, headers=headers) as response:
        assert response.status == 401


async def test_a_long_message_is_refused_however_it_comes(service: Service) -> None:
    line = b"MTX_PATH=live/1\r\n"
    chunks = b"%x\r\n%s\r\n" % (len(line), line) * 2000 + b"0\r\n\r\n"
    raw = HEAD % b"ready" + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    assert await answer(service, raw) == b"HTTP/1.1 413 Content Too Large"


@pytest.mark.parametrize("path", ["live/{key}", "{key}", "live/7?key={key}"])
async def test_a_key_that_stands_in_the_path_is_not_logged(
    service: Service, path: str
) -> None:
    live, _ = await service.go_live()
    wrong = path.replace("{key}", live["key"])
    with capture_logs() as logs:
        assert await service.auth(publish(wrong, live["key"])) == 401
    assert logs
    assert live["key"] not in repr(logs)
