"""A node whose broadcasts have to go on elsewhere lets no encoder in, and one that is
full no other's."""

import os

import asyncpg

from tests.hooks.conftest import Service, publish, read
from tests.support.commands import command
from tests.support.stack import until


async def test_encoders_are_kept_out_and_viewers_are_not(
    service: Service, database_url: str
) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO nodes (name, api_url, rtmp_url, hls_url, webrtc_url, srt_url,"
        " rtsp_url, owner, lease_until) VALUES ('other', '', '', '', '', '', '',"
        " 'nobody who asks it', now() + interval '1 hour')"
    )
    await connection.close()
    comes = publish(live["path"], live["key"], id="source-2")

    async def kept_out() -> bool:
        return await service.auth(comes) == 401

    drained = await command(os.environ, "nodes", "drain", "local", "--now")
    assert drained.exit_code == 0, drained.output
    await until(kept_out)
    assert await service.auth(read(live["path"])) == 200
    await command(os.environ, "nodes", "activate", "local")
    assert await service.lets_in(comes)


async def test_a_full_one_keeps_whom_it_has(
    service: Service, database_url: str
) -> None:
    live, _token = await service.go_live()
    await service.publish(live)
    bob = await service.app.sign_in("bob")
    made = await bob.ask("streamKeys", {"channel_name": "bobs"})
    key = made["StreamKey"]["key"]
    comes = publish("live/bobs", key, id="source-2")
    again = publish(live["path"], live["key"], id="source-3")
    assert await service.lets_in(comes)
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE nodes SET most_publishers = 1")
    await connection.close()

    async def kept_out() -> bool:
        return await service.auth(comes) == 401

    await until(kept_out)
    assert await service.auth(again) == 200
    url = f"http://127.0.0.1:{service.ports.internal}/metrics"
    async with service.http.get(url) as response:
        assert 'reason="node_full"' in await response.text()
