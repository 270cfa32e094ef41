"""The sender is killed at any moment: everything arrives, in order for each subject."""

import asyncio
import random
import sys
from pathlib import Path

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.webhooks.model.endpoints import Wish
from control_plane.wiring.services import services
from tests.support.log import bonus_in, new_user
from tests.support.process import Process
from tests.support.receiver import Receiver
from tests.webhooks.test_delivering import Failing

KILLS, EVENTS, USERS = 4, 300, 5


async def _start(wanted: Settings, log: Path) -> Process:
    env = {
        "DATABASE_URL": wanted.database_url.get_secret_value(),
        "REDIS_URL": wanted.redis_url.get_secret_value(),
        "CONTROL_PLANE_SECRET": wanted.secret.get_secret_value(),
        "CONTROL_PLANE_ENV": "development",
        "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
        "CONTROL_PLANE_PUBLIC_PORT": "0",
        "CONTROL_PLANE_INTERNAL_PORT": "0",
        "CONTROL_PLANE_OPERATOR_PORT": "0",
        "CONTROL_PLANE_API_METRICS_PORT": "0",
        "CONTROL_PLANE_WORK_METRICS_PORT": "0",
        "CONTROL_PLANE_NODE_NAME": "",
        "CONTROL_PLANE_WEBHOOK_NETWORKS": "127.0.0.1",
    }
    command = (sys.executable, "-m", "control_plane", "serve")
    return await Process.start(log, *command, env=env)


async def test_no_event_is_lost(
    wanted: Settings, pool: Pool, hook: Receiver, tmp_path: Path
) -> None:
    users = [await new_user(pool) for _ in range(USERS)]
    hook.misbehave = Failing(users[0], 3, 2)
    async with services(wanted) as opened:
        added = await opened.events.webhooks.add(Wish(hook.url))
        secret = opened.events.webhooks.secret(added.endpoint)
    chance = random.Random(11)  # noqa: S311

    async def write() -> None:
        for number in range(EVENTS):
            async with pool.transaction() as connection:
                await bonus_in(connection, users[number % USERS])
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())
    for _ in range(KILLS):
        sender = await _start(wanted, tmp_path / "service.log")
        await hook.takes(len(hook.taken) + 1)
        await asyncio.sleep(chance.random() / 2)
        await sender.kill()
        # As if its lease had run out meanwhile.
        await pool.execute("UPDATE webhook_endpoints SET lease_until = now()")
    await writing
    sender = await _start(wanted, tmp_path / "service.log")
    await hook.until(lambda: len({event["id"] for event in hook.taken}) == EVENTS)
    await sender.stop()
    for user in users:
        assert hook.of(user) == list(range(1, EVENTS // USERS + 1))
    for got in hook.got:
        got.verify(secret)
