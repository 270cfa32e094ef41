"""Two of each role, as processes of their own, and an app that uses both sets."""

import asyncio
import contextlib
import itertools
import json
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import aiohttp

from tests.support.client import App, Json
from tests.support.money import ROSE
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import PATIENCE, Stack

#: What listens where another of its kind cannot. Both ``auth`` listen at one port.
PORTS: Mapping[str, Sequence[str]] = {
    "auth": (),
    "api": ("PUBLIC", "API_METRICS"),
    "work": ("WORK_METRICS", "OPERATOR"),
}
EVERY = 0.25  # seconds from gift to gift


@contextlib.contextmanager
def held(process: Process) -> Iterator[None]:
    """It stands still meanwhile, and knows nothing of it."""
    process.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.process.send_signal(signal.SIGCONT)


class Doubled:
    """``processes``: by role, the first and the second."""

    def __init__(self, stack: Stack) -> None:
        names = [name for own in PORTS.values() for name in own]
        self._ports = [
            {name: stack.ports[name] for name in names},
            dict(zip(names, free_ports(len(names)), strict=True)),
        ]
        self.stack = stack
        self.processes: dict[str, list[Process]] = {}

    @property
    def apps(self) -> list[App]:
        """One for each ``api``."""
        bases = [f"http://127.0.0.1:{ports['PUBLIC']}" for ports in self._ports]
        return [App(self.stack.http, base) for base in bases]

    async def start(self) -> None:
        """All at once, into a database without tables too."""
        await self.stack.start_node()
        sets = [[self._start(role, which) for role in PORTS] for which in (0, 1)]
        first, second = await asyncio.gather(*(asyncio.gather(*one) for one in sets))
        pairs = zip(first, second, strict=True)
        self.processes = {r: [*pair] for r, pair in zip(PORTS, pairs, strict=True)}

    async def kill(self, role: str, which: int) -> None:
        await self.processes[role][which].kill()
        if role == "api":  # whoever asks asks the other one
            self.stack.base = self.apps[1 - which].base

    async def _start(self, role: str, which: int) -> Process:
        ports = self._ports[which]
        own = {f"CONTROL_PLANE_{name}_PORT": str(ports[name]) for name in PORTS[role]}
        shared = {"CONTROL_PLANE_INTERNAL_REUSE_PORT": "true"}
        return await self.stack.start_role(role, **own, **shared)


class Giver:
    """Sends gift after gift, each with its own key, at one ``api`` and then at the
    other, until it is answered well. ``given``: how many were."""

    def __init__(self, apps: Sequence[App], token: str, gift: Json) -> None:
        self._apps = itertools.cycle(apps)
        self._token = token
        self._body = json.dumps({"gift_id": ROSE, "gift_count": 1} | gift)
        self._over = False
        self.given = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ends when the last one is answered."""
        task = asyncio.create_task(self._run())
        try:
            yield
            self._over = True
            await asyncio.wait_for(task, PATIENCE)
        finally:
            task.cancel()

    async def _run(self) -> None:
        answered = False
        while not (self._over and answered):
            answered = await self._answered()
            self.given += answered
            await asyncio.sleep(EVERY)

    async def _answered(self) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Auth-Token": self._token,
            "Idempotency-Key": f"gift-{self.given}",
        }
        try:
            answer = await next(self._apps).raw("sendGift", self._body, headers)
        except aiohttp.ClientError:
            return False
        return bool(answer["code"] == 200)
