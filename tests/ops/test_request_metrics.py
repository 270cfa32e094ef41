"""Requests are counted by route and outcome, never by path."""

import aiohttp

from tests.support.api import App, settings
from tests.support.service import serve

LINE = 'control_plane_requests_total{{listener="{}",outcome="{}",route="{}"}}'


async def test_requests_are_counted_by_route(database_url: str, redis_url: str) -> None:
    async with (
        serve(settings(database_url, redis_url)) as ports,
        aiohttp.ClientSession() as http,
    ):
        app = App(http, f"http://127.0.0.1:{ports.public}")
        await app.sign_in("ann")
        await app.refused("showLiveStream", {"id": 99})
        await app.refused("a-name-of-no-endpoint")
        await http.get(f"http://127.0.0.1:{ports.operator}/v1/sessions/31337")
        await http.get(f"http://127.0.0.1:{ports.operator}/a-path-of-nothing")
        at = f"http://127.0.0.1:{ports.api_metrics}/metrics"
        async with http.get(at) as response:
            told = await response.text()
    for line in (
        LINE.format("public", "ok", "api/registeruser"),
        LINE.format("public", "refused", "api/showlivestream"),
        LINE.format("public", "refused", "api/unknown"),
        LINE.format("operator", "refused", "/v1/sessions/{id}"),
        LINE.format("operator", "refused", "unknown"),
    ):
        assert line in told
    assert 'request_duration_seconds_count{listener="public"' in told
    assert "/31337" not in told
    assert "of-no" not in told
