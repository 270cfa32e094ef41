"""Where an app's host is, as he asks or as a proxy of ours says."""

from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest

from tests.support.api import API, running, settings
from tests.support.client import Account, App, Json

DE, US = {"X-Country": "de"}, {"X-Country": "us"}


@pytest.fixture
async def app(database_url: str, redis_url: str) -> AsyncIterator[App]:
    """``local`` is in the region us, and ``other`` in eu. Nobody asks them how they
    are."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO nodes (name, region, api_url, rtmp_url, hls_url, webrtc_url,"
        " srt_url, rtsp_url, owner, lease_until)"
        " SELECT name, 'eu', '', 'rtmp://' || name, 'http://' || name, '', '', '',"
        " 'nobody', now() + interval '1 hour' FROM unnest('{local,other}'::text[]) name"
    )
    await connection.close()
    wanted = settings(
        *(database_url, redis_url),
        node_region="us",
        region_header="X-Country",
        regions="DE=eu AT=eu",
    )
    async with running(wanted, API) as opened:
        yield opened


async def _goes_live(ann: Account, said: Mapping[str, str], **more: object) -> str:
    """Where, from anew."""
    head = {"Auth-Token": ann.token, "Content-Type": "application/json", **said}
    url = f"{ann.app.base}/api/liveStream"
    async with ann.app.http.post(url, json=more, headers=head) as response:
        live: Json = (await response.json())["msg"]["LiveStreaming"]
    await ann.ask("liveStream", {"id": live["id"], "ended_at": "now"})
    return "eu" if "other" in live["rtmp_url"] else "us"


async def test_it_is_as_the_proxy_says_and_as_the_app_asks(app: App) -> None:
    ann = await app.sign_in("ann")
    assert await _goes_live(ann, DE) == "eu"
    assert await _goes_live(ann, US) == "us"
    assert await _goes_live(ann, DE, region="us") == "us"
    assert (await ann.refused("liveStream", {"region": "x" * 65}))["code"] == 400


async def test_whoever_is_no_proxy_of_ours_says_nothing(
    database_url: str, redis_url: str, app: App
) -> None:
    wanted = settings(
        *(database_url, redis_url),
        node_region="us",
        region_header="X-Country",
        trusted_proxies="192.0.2.1",
    )
    async with running(wanted, API) as alone:
        assert await _goes_live(await alone.sign_in("ann"), {"X-Country": "eu"}) == "us"


async def test_a_channel_is_told_where_its_encoder_belongs(app: App) -> None:
    ann = await app.sign_in("ann")
    await ann.ask("streamKeys", {"channel_name": "ann-live", "region": "eu"})
    key = (await ann.ask("showStreamKeys", {"region": "eu"}))[0]["StreamKey"]
    assert key["rtmp_server"] == "rtmp://other/live"
    assert key["playback_url"] == "http://other/live/ann-live/index.m3u8"
