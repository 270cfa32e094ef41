"""An encoder may be faster than the notice about its new key."""

import asyncpg

from tests.hooks.conftest import Service, publish


async def test_a_key_whose_notice_is_late_opens_its_path(
    service: Service, owner_url: str
) -> None:
    live, token = await service.go_live()
    assert await service.lets_in(publish(live["path"], live["key"]))
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("DROP TRIGGER key_notice ON stream_keys")
    finally:
        await connection.close()
    again = (await service.ask("liveStream", {}, token))["LiveStreaming"]
    assert await service.lets_in(publish(live["path"], again["key"], id="s2"))
    assert await service.auth(publish(live["path"], "x" * 27, id="s3")) == 401
