"""The script that tries any server."""

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from control_plane.base.database import open_pool
from control_plane.commands.api_checks import Failed, checks
from control_plane.commands.seed_demo import seed_demo
from control_plane.config.settings import Settings
from control_plane.people.model.users import NewUser
from control_plane.people.service.accounts import Identity
from control_plane.videos.model.videos import NewVideo
from control_plane.wiring.services import Services, services
from tests.support.api import running, settings
from tests.support.certificates import Authority
from tests.support.commands import command
from tests.support.ports import free_ports
from tests.support.provider import provider


@pytest.fixture
def wanted(database_url: str, redis_url: str) -> Settings:
    return settings(database_url, redis_url)


async def _check(url: str, *more: str) -> tuple[int, str]:
    said = await command({}, "check-api", "--url", url, *more)
    return said.exit_code, said.output


async def _left(opened: Services) -> tuple[int, int]:
    """Accounts that somebody could sign in to, and sessions that are open."""
    people = "SELECT count(*) FROM users WHERE deleted_at IS NULL"
    live = "SELECT count(*) FROM live_streaming_sessions WHERE ended_at IS NULL"
    return (
        int(await opened.pool.fetchval(people)),
        int(await opened.pool.fetchval(live)),
    )


async def test_our_own_server_passes_and_is_left_as_it_was(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    wanted = settings(database_url, redis_url, api_key="k", media_folder=tmp_path)
    async with services(wanted) as opened:
        await seed_demo(opened, tmp_path)  # a node that is silent meanwhile is lost
    async with running(wanted) as app, services(wanted) as opened:
        before = await _left(opened)

        for _ in range(2):
            code, text = await _check(app.base, "--api-key", "k")
            assert code == 0, text
            assert "Passed: 6\nFailed: 0\nAll tests passed!" in text
            assert "Nothing was left behind." in text
            assert await _left(opened) == before
        code, text = await _check(app.base)
        assert code == 1
        assert "API key is missing" in text
        code, text = await _check(app.base, "--api-key", "k", "--videos", "6")
        assert code == 1
        assert "[failed] Show Related Videos: there are 5 videos, and not 6." in text
        (tmp_path / "demo-3.mp4").unlink()
        code, text = await _check(app.base, "--api-key", "k")
        assert code == 1
        assert "demo-3.mp4 answers HTTP 404." in text
        assert await _left(opened) == before


async def test_an_empty_feed_is_said(wanted: Settings) -> None:
    async with running(wanted) as app:
        code, text = await _check(app.base)
        assert code == 1
        assert "Passed: 5\nFailed: 1" in text
        assert "[failed] Show Related Videos: code 201" in text


async def test_an_account_that_was_there_before_stays(
    database_url: str, redis_url: str
) -> None:
    async with provider() as firebase:
        wanted = settings(
            database_url,
            redis_url,
            env="production",
            firebase_project="demo-app",
            firebase_keys_url=firebase.url,
        )
        async with running(wanted) as app, services(wanted) as opened:
            _, text = await _check(app.base, "--id-token", firebase.token(sub="new"))
            assert "Passed: 5\nFailed: 1" in text
            assert await _left(opened) == (0, 0)

            token = firebase.token(sub="old")
            old = (await app.ask("registerUser", {"auth_token": token}))["User"]
            _, text = await _check(app.base, "--id-token", token)
            assert "Passed: 5\nFailed: 1" in text
            assert "Nothing was left behind." in text
            assert await app.ask("showUserDetail", {}, old["auth_token"])
            assert await _left(opened) == (1, 0)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("HashtagVideo", []),
        ("Hashtag", []),
        ("Sound", None),
        ("User", None),
        ("Video", {"id": 1}),
    ],
)
async def test_a_feed_that_an_app_cannot_decode_fails(
    wanted: Settings, name: str, wrong: object
) -> None:
    async with running(wanted) as app, services(wanted) as opened:
        await _post_one(opened)
        feed = await app.ask("showRelatedVideos")
    (check,) = [one for one in checks("", 1) if one.endpoint == "showRelatedVideos"]
    check.looks_right(feed)
    with pytest.raises(Failed, match=name):
        check.looks_right([feed[0] | {name: wrong}])


async def test_what_cannot_be_undone_is_said(wanted: Settings, owner_url: str) -> None:
    async with running(wanted) as app, open_pool(owner_url) as owner:
        await owner.execute(
            """
            CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RAISE EXCEPTION ''no''; END';
            CREATE TRIGGER no BEFORE UPDATE OF deleted_at ON users
                FOR EACH ROW EXECUTE FUNCTION no();
            """
        )
        code, text = await _check(app.base, "--videos", "0")
    assert code == 1
    assert "Left behind: the user 1." in text


async def _post_one(opened: Services) -> None:
    author = await opened.accounts.sign_in(
        [Identity("demo", "author", verified=False)], NewUser(username="author")
    )
    address = "https://cdn.example.com/one"
    await opened.videos.add(
        NewVideo(author.user.id, "one", f"{address}.mp4", f"{address}.jpg", 1.0, 9, 16)
    )


async def test_a_server_of_another_kind_fails_everything() -> None:
    async def other(_request: web.Request) -> web.Response:
        return web.json_response({"code": "200", "msg": {}})

    runner = web.AppRunner(web.Application())
    runner.app.router.add_post("/{any:.*}", other)
    await runner.setup()
    port = free_ports(1)[0]
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        code, text = await _check(f"http://127.0.0.1:{port}/")
    finally:
        await runner.cleanup()
    assert code == 1
    assert "Passed: 0\nFailed: 6" in text


async def test_no_server_is_said() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    code, text = await _check(url)
    assert code == 1
    assert f"{url} does not answer as a control plane: Cannot connect" in text


async def test_a_certificate_that_nobody_trusts_is_said(tmp_path: Path) -> None:
    server = TestServer(web.Application(), scheme="https")
    tls = Authority(tmp_path).context("127.0.0.1", timedelta(days=1))
    await server.start_server(ssl=tls)
    async with server:
        code, text = await _check(str(server.make_url("/")))
    assert code == 1
    assert "CERTIFICATE_VERIFY_FAILED" in text


@pytest.mark.parametrize("url", ["api.example.com", "localhost:8080", "ftp://a", "a b"])
async def test_what_is_no_address_is_said(url: str) -> None:
    code, text = await _check(url)
    assert code == 1
    assert "it is no address that begins with http:// or https://" in text
