"""Requests in every form the apps send, and the one shape of every answer."""

import asyncio
import contextlib
import gzip
import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import urlsplit

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from control_plane.config.settings import Settings
from tests.support.api import API, FORM, App, running, settings

UNICODE = "Zoë 🎉"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain; charset=UTF-8", FORM, ""]
)
async def test_json_under_any_name(app: App, content_type: str) -> None:
    ann = await app.sign_in("ann")
    headers = {"Auth-Token": ann.token, "Content-Type": content_type}
    data = json.dumps({"bio": UNICODE, "private": "0"}, ensure_ascii=False)

    answer = await app.raw("editProfile", data.encode(), headers)

    assert answer["msg"]["User"]["bio"] == UNICODE


async def test_a_form_and_parts(app: App) -> None:
    ann = await app.sign_in("ann")
    url = f"{app.base}/api/editProfile"
    headers = {"Auth-Token": ann.token}
    async with app.http.post(url, data={"bio": "a b&c"}, headers=headers) as form:
        assert (await form.json())["msg"]["User"]["bio"] == "a b&c"


async def test_parts_of_text_beside_an_upload(app: App) -> None:
    ann = await app.sign_in("ann")
    parts = aiohttp.FormData(quote_fields=False)
    parts.add_field("bio", UNICODE, content_type="text/plain; charset=UTF-8")
    parts.add_field("file", b"\xff\xd8", filename="a.jpg", content_type="image/jpeg")
    url, headers = f"{app.base}/api/editProfile", {"Auth-Token": ann.token}
    async with app.http.post(url, data=parts, headers=headers) as response:
        assert (await response.json())["msg"]["User"]["bio"] == UNICODE


@contextlib.asynccontextmanager
async def connected(
    app: App,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(app.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def bytewise(app: App, raw: bytes) -> bytes:
    """The whole answer to exactly these bytes."""
    async with connected(app) as (reader, writer):
        writer.write(raw)
        async with asyncio.timeout(60.0):
            return await reader.read()


async def test_a_body_in_two_pieces(app: App) -> None:
    body = b'{"keyword": "ann", "type": "user"}'
    head = f"POST /api/showSettings HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}"
    async with connected(app) as (reader, writer):
        writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body[:9])
        await writer.drain()
        # Answered by another connection after the first piece arrived.
        await app.ask("showSettings")
        writer.write(body[9:])
        async with asyncio.timeout(60.0):
            assert b'{"code":200,' in await reader.read()


@pytest.mark.parametrize("header", ["Auth-Token", "auth-token", "AUTH-TOKEN"])
async def test_headers_in_any_case(app: App, header: str) -> None:
    ann = await app.sign_in("ann")
    answer = await app.raw("showUserDetail", b"{}", {header: ann.token})
    assert answer["msg"]["User"]["id"] == ann.id


async def test_the_token_in_the_body(app: App) -> None:
    ann = await app.sign_in("ann")
    msg = await app.ask("showUserDetail", {"auth_token": ann.token})
    assert msg["User"]["auth_token"] == ann.token


@pytest.mark.parametrize("nobody", ["", "0", "null"])
async def test_logged_out_apps_are_guests(app: App, nobody: str) -> None:
    ann = await app.sign_in("ann")
    body = json.dumps({"user_id": "0", "other_user_id": str(ann.id)}).encode()
    answer = await app.raw("showUserDetail", body, {"Auth-Token": nobody})
    assert answer["msg"]["User"]["username"] == "ann"
    assert answer["msg"]["User"]["button"] == "follow"


@pytest.mark.parametrize("data", [None, b"", b"{}", b"  "])
async def test_an_empty_body(app: App, data: bytes | None) -> None:
    for name in ("showReportReasons", "showSettings"):
        assert (await app.raw(name, data))["code"] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/showSettings",
        "/api/SHOWSETTINGS",
        "/api//showSettings",
        "/showSettings",
        "/api/showSettings/",
        "/api/showSettings%20",
    ],
)
async def test_paths_as_the_apps_call_them(app: App, path: str) -> None:
    assert (await app.raw(path))["code"] == 200


@pytest.mark.parametrize("user_id", ["{}", '"{}"', '"{}.0"', '" {} "', "{}.0"])
async def test_numbers_as_numbers_or_text(app: App, user_id: str) -> None:
    ann = await app.sign_in("ann")
    data = f'{{"user_id": {user_id.replace("{}", str(ann.id))}}}'
    answer = await app.raw("showUserDetail", data)
    assert answer["msg"]["User"]["id"] == ann.id


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"\xff\xfe",
        b"[" * 5000,
        b"[" * 150_000,
        b'{"user_id": -1}',
        b'{"user_id": 99999999999999999999999}',
        b'{"user_id": 1e400}',
        b'{"user_id": NaN}',
        b'{"user_id": true}',
        b'{"user_id": {}}',
        b'{"username": "\\u0000"}',
        b'{"username": "\\ud800"}',
        b'{"other_user_id": "one"}',
        b'{"other_user_id": "--5"}',
    ],
)
async def test_what_cannot_be_read_is_said_in_a_sentence(app: App, data: bytes) -> None:
    answer = await app.raw("showUserDetail", data)
    assert answer["code"] == 400
    assert answer["msg"].endswith(".")


@pytest.mark.parametrize("token", ["\x00", "\ud800", "\n9"])
async def test_a_token_that_cannot_be_one_is_none(app: App, token: str) -> None:
    assert (await app.call("blockUser", {"auth_token": "a" + token}))["code"] == 401


async def test_what_is_too_large_is_said_in_a_sentence(app: App) -> None:
    url = f"{app.base}/api/showUserDetail"
    async with app.http.post(url, data=io.BytesIO(b"x" * 1_100_000)) as response:
        assert await response.json() == {
            "code": 400,
            "msg": "The request is too large.",
        }


@pytest.mark.parametrize("packed", [gzip.compress(b"{}", mtime=0), b"no gzip at all"])
async def test_what_is_compressed_is_refused(app: App, packed: bytes) -> None:
    answer = await app.raw("showSettings", packed, {"Content-Encoding": "gzip"})
    assert answer == {"code": 400, "msg": "Compressed requests are not read."}


def _troubles(logs: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """What the service itself says meanwhile is no trouble."""
    return [log for log in logs if log["log_level"] not in ("debug", "info")]


async def test_two_megabytes_of_parts_are_said_in_a_sentence(app: App) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="bio"\r\n\r\n'
    parts = io.BytesIO(head + b"x" * 2_000_000 + b"\r\n--x--\r\n")
    url = f"{app.base}/api/editProfile"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with capture_logs() as logs:
        async with app.http.post(url, data=parts, headers=headers) as response:
            assert await response.json() == {
                "code": 400,
                "msg": "The request is too large.",
            }
    assert not _troubles(logs)


HEAD = b"POST /api/%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


def is_said(answer: bytes, sentence: str) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    told: object = json.loads(body)
    return head.startswith(b"HTTP/1.1 200 ") and told == {"code": 400, "msg": sentence}


async def test_a_header_that_is_no_text(app: App) -> None:
    ann = await app.sign_in("ann")
    answer = await bytewise(app, HEAD % b"showSettings" + b"Auth-Token: \xff\r\n\r\n")
    assert is_said(answer, "The header Auth-Token cannot be read.")

    body = b'{"gift_id": 1, "gift_count": 1, "receiver_id": 9}'
    headers = b"Auth-Token: %s\r\nIdempotency-Key: \xff\r\n" % ann.token.encode()
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    answer = await bytewise(app, HEAD % b"sendGift" + headers + length + body)
    assert is_said(answer, "The header Idempotency-Key cannot be read.")


async def test_an_api_key_that_is_no_text(wanted: Settings) -> None:
    changed = wanted.model_copy(update={"api_key": SecretStr("abc")})
    async with running(changed, API) as app:
        raw = HEAD % b"showSettings" + b"Api-Key: \xff\r\n\r\n"
        assert is_said(await bytewise(app, raw), "The header Api-Key cannot be read.")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /live/s3cret HTTP/9.9\r\n\r\n",
        b"GET s3cret\r\n\r\n",
        b"s3cret / HTTP/1.1\r\nHost: a\r\n\r\n",
        HEAD % b"showSettings" + b"Auth-Token s3cret\r\n\r\n",
        HEAD % b"showSettings" + b"Auth-Token: s3cret\x00\r\n\r\n",
        HEAD % b"showSettings" + b"Auth-Token: " + b"s3cret" * 2000 + b"\r\n\r\n",
        HEAD % b"s3cret" + b"Api-Key: \xff\r\n\r\n",
        HEAD % b"showSettings" + b"Transfer-Encoding: chunked\r\n\r\ns3cret\r\n",
    ],
)
async def test_nothing_of_a_request_is_logged_as_it_came(
    app: App, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with capture_logs() as logs:
        await bytewise(app, raw)
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(logs)
    assert not [log for log in logs if log["log_level"] == "error"]


async def test_who_hangs_up_meanwhile_is_no_error(app: App) -> None:
    with capture_logs() as logs:
        async with connected(app) as (_, writer):
            head = HEAD % b"showSettings" + b"Content-Length: 100\r\n\r\n"
            writer.write(head + b'{"keyword"')
            await writer.drain()
            await app.ask("showSettings")
        await app.ask("showSettings")
    assert not _troubles(logs)


async def test_another_method_gets_the_envelope_too(app: App) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "PROPFIND"):
        for name in ("showGifts", "nothing", "", "showGifts/more"):
            url = f"{app.base}/api/{name}"
            async with app.http.request(method, url) as response:
                assert response.status == 200
                said = await response.json()
            assert said == {"code": 400, "msg": "Please call this by POST."}


async def test_what_is_not_served_yet_says_so(app: App) -> None:
    answer = await app.call("showProducts", {})
    assert answer == {"code": 201, "msg": "This feature is not available yet."}
    assert (await app.call("likeComment", {}))["like_count"] == 0
    assert (await app.call("addVideoFavourite", {}))["fav_count"] == 0
    assert (await app.call("nothing", {}))["code"] == 201


async def test_an_api_key(wanted: Settings) -> None:
    wanted = settings(
        wanted.database_url.get_secret_value(),
        wanted.redis_url.get_secret_value(),
        api_key="abc",
    )
    async with running(wanted, API) as app:
        for name in ("Api-Key", "API-KEY"):
            assert (await app.raw("showSettings", b"", {name: "abc"}))["code"] == 200
        missing = await app.raw("likeVideo", b"")
        assert missing == {
            "code": 201,
            "msg": "API key is missing",
            "like": 0,
            "like_count": 0,
        }
        wrong = await app.raw("showSettings", b"", {"Api-Key": "x"})
        assert wrong == {"code": 202, "msg": "Access Restricted"}


async def test_nothing_is_cached(app: App) -> None:
    async with app.http.post(f"{app.base}/api/showSettings") as response:
        assert response.headers["Cache-Control"] == "no-store"


async def test_many_sign_ups_at_once_are_one_account(app: App) -> None:
    both = await asyncio.gather(*(app.sign_in("ann") for _ in range(8)))
    assert len({account.id for account in both}) == 1
