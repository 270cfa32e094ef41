"""``control-plane serve`` as processes, and its operator."""

import json
import os
import sys
from pathlib import Path

import aiohttp

from control_plane.base.secrets import Secrets
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import until

SECRET = "a secret of thirty-two characters"
PLACES = ["PUBLIC", "INTERNAL", "OPERATOR", "API_METRICS", "WORK_METRICS"]
#: Where each role says how it is.
STATUS = {"auth": "INTERNAL", "api": "PUBLIC", "work": "WORK_METRICS"}


class Operator:
    """Starts the service on ports of its own, and looks after it."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self._folder = folder
        self.ports = dict(zip(PLACES, free_ports(len(PLACES)), strict=True))
        self.env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONTROL_PLANE_SECRET": SECRET,
            "CONTROL_PLANE_PUBLIC_HOST": "127.0.0.1",
            **{f"CONTROL_PLANE_{n}_PORT": str(p) for n, p in self.ports.items()},
        }
        self.started: list[Process] = []

    async def serve(self, *options: str, **changes: str) -> Process:
        process = await Process.start(
            self._folder / f"{len(self.started)}.log",
            *(sys.executable, "-m", "control_plane", "serve", *options),
            env=self.env | changes,
        )
        self.started.append(process)
        return process

    async def up(self) -> Process:
        process = await self.serve()
        for role in STATUS:
            await self.is_ready(role)
        return process

    async def is_ready(self, role: str) -> None:
        await until(lambda: self.answer(STATUS[role], "/readyz"))

    async def serving(self, role: str) -> None:
        """The newest process says so."""

        async def said() -> bool:
            log = self.started[-1].log.read_text()
            return f'"role": "{role}"' in log

        await until(said)

    async def asks_auth(self) -> int:
        """The status of a node's call about a path that is nobody's."""
        body = {"action": "publish", "path": "live/1", "protocol": "rtmp"}
        return await self.tells("auth", json.dumps(body))

    async def tells(self, event: str, body: str) -> int:
        """As a node; the status."""
        basic = aiohttp.encode_basic_auth("local", Secrets(SECRET).node("local"))
        url = f"http://127.0.0.1:{self.ports['INTERNAL']}/hooks/mediamtx/local/{event}"
        async with (
            aiohttp.ClientSession(headers={"Authorization": basic}) as http,
            http.post(url, data=body) as response,
        ):
            return response.status

    async def scrapes(self, place: str) -> str:
        return str(await self.answer(place, "/metrics"))

    async def answer(self, place: str, path: str) -> str:
        """Its body; empty while it is not good."""
        url = f"http://127.0.0.1:{self.ports[place]}{path}"
        try:
            async with aiohttp.ClientSession() as http, http.get(url) as response:
                return await response.text() if response.status == 200 else ""
        except aiohttp.ClientError:
            return ""

    def pid(self, role: str) -> int:
        """Of the process that has this role now, or had it last."""
        # The last line may still be on its way.
        whole, _, _ = self.started[-1].log.read_text().rpartition("\n")
        said = (line for line in whole.splitlines() if '"event": "serving"' in line)
        lines = [json.loads(line) for line in said]
        return int([line["pid"] for line in lines if line["role"] == role][-1])
