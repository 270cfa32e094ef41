"""Nodes page by page, what one of them is told, and the settings in force."""

from control_plane.base.database import Pool
from tests.support.api import App, running, settings
from tests.support.operators import ask, token


async def test_nodes_are_listed_page_by_page(app: App, pool: Pool) -> None:
    reads = await token(pool, "read")
    await pool.execute(
        "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
        " rtsp_url) SELECT 'z-' || n, '', '', '', '', '', '' "
        "FROM generate_series(1, 2) n"
    )
    _, first = await ask(app, "GET", "/v1/nodes?limit=2", reads)
    assert [one["name"] for one in first["nodes"]] == ["local", "z-1"]
    _, rest = await ask(app, "GET", f"/v1/nodes?after={first['next']}", reads)
    assert ([one["name"] for one in rest["nodes"]], rest["next"]) == (["z-2"], None)


async def test_a_node_says_what_it_carries(app: App, pool: Pool) -> None:
    await pool.execute("UPDATE nodes SET region = 'eu', weight = 3, most_readers = 9")
    await pool.execute("UPDATE nodes SET most_publishers = 2")
    ann = await app.sign_in("ann")
    await ann.ask("liveStream", {})
    _, found = await ask(app, "GET", "/v1/nodes", await token(pool, "read"))
    node = found["nodes"][0]
    assert (node["role"], node["region"], node["weight"]) == ("origin", "eu", 3)
    assert node["capacity"] == {"publishers": 2, "readers": 9, "bits": None}
    assert node["room"] == {"publishers": 1, "readers": 9, "bits": None}


async def test_no_node_is_closed_when_none_takes_over(app: App, pool: Pool) -> None:
    admin, reads = await token(pool, "admin"), await token(pool, "read")
    drain, now = "/v1/nodes/local/drain", {"reason": "repair", "now": True}
    assert (await ask(app, "POST", drain, admin, json=now))[0] == 409
    _, found = await ask(app, "GET", "/v1/nodes/local", reads)
    assert (found["node"]["closed"], found["node"]["state"]) == (False, "active")


async def test_a_node_that_is_away_says_no_version(app: App, pool: Pool) -> None:
    _, found = await ask(app, "GET", "/v1/nodes/local", await token(pool, "read"))
    assert (found["answer"], found["version"]) == ("refused", "")
    assert found["node"]["name"] == "local"


async def test_a_node_is_told_its_configuration(app: App, pool: Pool) -> None:
    path, admin = "/v1/nodes/local/mediamtx.yml", await token(pool, "admin")
    headers = {"Authorization": f"Bearer {admin}"}
    async with app.http.get(app.operators + path, headers=headers) as response:
        text = await response.text()
        assert (response.status, response.content_type) == (200, "application/yaml")
    assert "authHTTPAddress: http://local:" in text
    assert (await ask(app, "GET", f"{path}?version=v1.2.0", admin))[0] == 400
    assert (await ask(app, "GET", "/v1/nodes/no/mediamtx.yml", admin))[0] == 404
    await pool.execute("UPDATE nodes SET role = 'cache'")
    assert (await ask(app, "GET", path, admin))[0] == 400


async def test_settings_are_shown_without_secrets(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    wanted = settings(
        database_url, redis_url, node_api_url="http://me:hidden@127.0.0.1:9"
    )
    async with running(wanted) as app:
        _, found = await ask(app, "GET", "/v1/settings", await token(pool, "admin"))
    told = {one["name"]: one["value"] for one in found["settings"]}
    assert told["CONTROL_PLANE_SECRET"] == told["DATABASE_URL"] == "set"
    assert told["CONTROL_PLANE_API_KEY"] == "unset"
    assert told["CONTROL_PLANE_ENV"] == "development"
    for hidden in (wanted.secret.get_secret_value(), "hidden", database_url):
        assert hidden not in str(found)
