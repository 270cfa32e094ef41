"""However many have been live, what is live is found by an index."""

from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest

from control_plane.base.database import Connection
from control_plane.live.store import keys, watching
from tests.support.plans import Explaining

FILL = """
    INSERT INTO users (username) SELECT 'user' || n FROM generate_series(1, 5000) AS n;
    INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url, rtsp_url)
        VALUES ('one', '', '', '', '', '', '');
    INSERT INTO live_streaming_sessions (user_id, path, node, status, longest,
            started_at, ended_at, end_reason)
        SELECT id, 'live/' || id, 'one', 'ended', '12 h', now(), now(), 'completed'
        FROM users;
    INSERT INTO live_streaming_sessions (user_id, path, node, status, longest,
            started_at, publisher_type, publisher_id)
        SELECT id, 'live/of-' || id, 'one', 'live', '12 h', now(), 'rtmpConn', id
        FROM users WHERE id % 2 = 0;
    INSERT INTO stream_keys (user_id, session_id, hash, hint)
        SELECT user_id, id, decode(lpad(id::text, 64, '0'), 'hex'), ''
        FROM live_streaming_sessions;
"""


@pytest.fixture
async def explaining(owner_url: str) -> AsyncIterator[Explaining]:
    connection = await asyncpg.connect(owner_url)
    await connection.execute(FILL)
    await connection.execute("ANALYZE")
    yield Explaining(connection)
    await connection.close()


async def test_a_page_of_what_is_live_is_read_in_its_order(
    explaining: Explaining,
) -> None:
    await watching.live(explaining, 0, 20, 0)
    assert "live_sessions" in explaining.plan
    assert "Sort" not in explaining.plan


async def test_who_goes_live_has_only_own_keys_looked_at(
    explaining: Explaining,
) -> None:
    await keys.mark_published(cast(Connection, explaining), 7000, 7000)
    assert "keys_of_user" in explaining.plan
    assert "Seq Scan on stream_keys" not in explaining.plan
