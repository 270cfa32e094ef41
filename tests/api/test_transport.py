"""Requests in every form the apps send, and the one shape of every answer."""

import asyncio
import io
import json

import pytest

from control_plane.config.settings import Settings
from tests.support.api import FORM, App, running, settings

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
        b'{"user_id": -1}',
        b'{"user_id": 99999999999999999999999}',
        b'{"user_id": 1e400}',
        b'{"user_id": NaN}',
        b'{"user_id": true}',
        b'{"user_id": {}}',
        b'{"username": "\\u0000"}',
        b'{"username": "\\ud800"}',
        b'{"other_user_id": "one"}',
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
    async with running(wanted) as app:
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
