"""A MediaMTX server, as docs/mediamtx.md says that it behaves: it asks about everybody
within one lock, the last encoder of a path wins, hooks are processes that come late,
twice, in any order or not at all, and a kill tells nobody anything."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hooks.messages import Request
from tests.simulator.http import Asked, Told, told
from tests.simulator.network import Wire

if TYPE_CHECKING:
    from tests.simulator.world import World

READ_TIMEOUT = 10.0  # seconds for an auth call
SEGMENT = 2.0  # seconds
HOOK_TRIES, HOOK_WITHIN, HOOK_PAUSE = 3, 2.0, 0.3


class Denied(Exception):
    """The control plane, or whatever is in its place, did not say 2xx."""


@dataclass(eq=False)
class Connection:
    """An encoder's, or a viewer's HLS session."""

    id: str
    path: str
    secret: str
    born: float
    state: str = "idle"
    ready_since: float | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Trouble:
    """What hooks meet: shares of 1, and seconds at most."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0


class Node:
    def __init__(self, world: "World", name: str, *, old: bool, secret: str) -> None:
        """``old``: v1.17, which lists no HLS sessions and has no name for its start."""
        self.name = name
        self.old = old
        self._world = world
        self._chance: Random = world.chance
        self._login = b"Basic " + base64.b64encode(f"{name}:{secret}".encode())
        self._secret = secret
        self.api = Wire(name, world.chance, 0.0005, 0.002)
        self.public = Wire(f"{name} public", world.chance, 0.002, 0.01)
        self.trouble = Trouble()
        self.alive = False
        self._starts = 0
        self.start()

    def start(self) -> None:
        self._starts += 1
        self.started = f"2026-06-15T12:{self._starts:02}:00Z"
        self.alive = True
        self.api.refused = self.public.refused = False
        self.lock = asyncio.Lock()
        self.encoders: dict[str, Connection] = {}
        self.viewers: dict[str, Connection] = {}
        self.paths: dict[str, Connection] = {}

    def kill(self) -> None:
        self.alive = False
        self.api.refused = self.public.refused = True
        for one in [*self.encoders.values(), *self.viewers.values()]:
            one.closed.set()
        self.encoders, self.viewers, self.paths = {}, {}, {}

    # Encoders and viewers.

    async def publish(self, path: str, key: str) -> Connection:
        """Once it has a picture. Raises Denied and OSError."""
        await self.public.travel()
        one = self._connection(path, key)
        self.encoders[one.id] = one
        try:
            await self._admit(one, "publish", "rtmp", f"key={key}")
            one.state = "publish"
            await self._open_for(one, self._chance.uniform(0.05, 2.5))  # its tracks
            async with self._locked(one):
                before = self.paths.get(path)
                if before is not None:
                    self._end(before)
                self.paths[path] = one
                one.ready_since = self._world.loop.time()
                self._tell("ready", one)
        except BaseException:
            self._close(one)
            raise
        self._world.note(self.name, f"{one.id[:8]} publishes {path}")
        return one

    async def watch(self, path: str, token: str) -> Connection:
        """Raises Denied and OSError."""
        await self.public.travel()
        one = self._connection(path, token)
        await self._admit(one, "read", "hls", f"token={token}")
        if path not in self.paths:
            raise Denied
        one.state = "read"
        self.viewers[one.id] = one
        if self.old:
            self._world.spawn(self._fetch(one))
        return one

    async def _fetch(self, one: Connection) -> None:
        """v1.17 asks about every playlist and segment."""
        while not one.closed.is_set():
            await asyncio.sleep(SEGMENT)
            try:
                await self._admit(one, "read", "hls", f"token={one.secret}")
            except (Denied, OSError):
                self._close(one)

    async def leave(self, one: Connection) -> None:
        """The other end is gone."""
        self._close(one)
        async with self.lock:
            self._end(one)

    def lists(self, one: Connection) -> bool:
        return self.paths.get(one.path) is one

    def _connection(self, path: str, secret: str) -> Connection:
        number = UUID(int=self._chance.getrandbits(128), version=4)
        return Connection(str(number), path, secret, self._world.loop.time())

    async def _admit(
        self, one: Connection, action: str, protocol: str, query: str
    ) -> None:
        call = {
            "ip": f"10.0.0.{self._chance.randrange(1, 200)}",
            "user": "",
            "password": "",
            "action": action,
            "path": one.path,
            "protocol": protocol,
            "id": None if self.old and protocol == "hls" else one.id,
            "query": query,
            "token": "",
        }
        async with self._locked(one):
            status = await self._ask(call)
        if one.closed.is_set():
            raise ConnectionResetError(self.name)
        self._world.oracle.answered(self, one, action, allowed=200 <= status < 300)
        if not 200 <= status < 300:
            raise Denied

    async def _ask(self, call: dict[str, Any]) -> int:
        """0: no answer in time."""
        route = f"/hooks/mediamtx/{self.name}/auth".encode()
        body = json.dumps(call).encode()
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await self._world.gate(
                    Request(b"POST", route, self._login, body)
                )
        except (TimeoutError, OSError):
            return 0

    def _locked(self, one: Connection) -> "_Locked":
        return _Locked(self.lock, one)

    async def _open_for(self, one: Connection, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await one.closed.wait()
        except TimeoutError:
            return
        raise ConnectionResetError(self.name)

    def _close(self, one: Connection) -> None:
        one.closed.set()
        self.encoders.pop(one.id, None)
        self.viewers.pop(one.id, None)

    def _end(self, one: Connection) -> None:
        """Its path has no picture any more. The lock is ours."""
        self._close(one)
        if self.lists(one):
            del self.paths[one.path]
            self._world.note(self.name, f"{one.id[:8]} is gone from {one.path}")
            self._tell("not_ready", one)
            for viewer in [v for v in self.viewers.values() if v.path == one.path]:
                self._close(viewer)

    # Hooks.

    def _tell(self, event: str, one: Connection) -> None:
        chance = self._chance.random
        for _ in range(2 if chance() < self.trouble.doubled else 1):
            if chance() >= self.trouble.lost:
                late = chance() * self.trouble.late + self._chance.expovariate(20)
                self._world.spawn(self._hook(event, one, late))

    async def _hook(self, event: str, one: Connection, late: float) -> None:
        await asyncio.sleep(late)
        lines = (
            f"CONTROL_PLANE_HOOK_SECRET={self._secret}",
            f"MTX_PATH={one.path}",
            "MTX_SOURCE_TYPE=rtmpConn",
            f"MTX_SOURCE_ID={one.id}",
        )
        route = f"/hooks/mediamtx/{self.name}/{event}".encode()
        request = Request(b"POST", route, b"", "\n".join(lines).encode())
        for _ in range(HOOK_TRIES):
            try:
                async with asyncio.timeout(HOOK_WITHIN):
                    if await self._world.gate(request) < 300:
                        return
            except (TimeoutError, OSError):
                pass
            await asyncio.sleep(HOOK_PAUSE)

    # The control API.

    async def handle(self, asked: Asked) -> Told:
        what = asked.path.removeprefix("/v3/").partition("?")[0]
        if asked.method == "POST":
            return await self._kick(what)
        if what == "info":
            server = {"version": "v1.20.1", "started": self.started}
            return told(404) if self.old else told(200, server)
        if what == "paths/list":
            async with self.lock:
                return _page([_path(one) for one in self.paths.values()])
        if what == "rtmpconns/list":
            return _page([_listed(one) for one in self.encoders.values()])
        if what == "hlssessions/list" and self.old:
            return told(404)
        if what == "hlssessions/list":
            now = self._world.loop.time()
            return _page([_watching(one, now) for one in self.viewers.values()])
        return _page([])

    async def _kick(self, what: str) -> Told:
        kind, _, number = what.partition("/kick/")
        known = self.viewers if kind == "hlssessions" else self.encoders
        one = known.get(number)
        if one is None or (self.old and kind == "hlssessions"):
            return told(404)
        self._world.note(self.name, f"{number[:8]} is kicked")
        self._close(one)
        self._world.spawn(self.leave(one))
        return told(200)


class _Locked:
    """The node's one lock, for a connection that may be gone when it is its turn."""

    def __init__(self, lock: asyncio.Lock, one: Connection) -> None:
        self._lock = lock
        self._one = one

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        if self._one.closed.is_set():
            self._lock.release()
            raise ConnectionResetError("closed")

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


def _page(items: list[dict[str, Any]]) -> Told:
    return told(200, {"itemCount": len(items), "pageCount": 1, "items": items})


def _path(one: Connection) -> dict[str, Any]:
    source = {"type": "rtmpConn", "id": one.id}
    return {"name": one.path, "ready": True, "source": source}


def _listed(one: Connection) -> dict[str, Any]:
    return {
        "id": one.id,
        "path": one.path if one.state == "publish" else "",
        "state": one.state,
        "query": f"key={one.secret}" if one.state == "publish" else "",
        "remoteAddr": "10.0.0.1:5000",
        "bytesSent": 0,
    }


def _watching(one: Connection, now: float) -> dict[str, Any]:
    return {
        "id": one.id,
        "path": one.path,
        "query": f"token={one.secret}",
        "remoteAddr": "10.0.0.1:5000",
        "outboundBytes": 1000 + int((now - one.born) * 1000),
    }
