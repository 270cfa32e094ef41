"""What the auth endpoint remembers, so that it never waits for Postgres.

Each entry decides about one path and is loaded again when Postgres says that it
changed. Without those notices a remembered permission to publish counts for
``STALE_AFTER`` seconds, then nobody new gets in; reads keep the last known answer.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from prometheus_client import Gauge

from control_plane.base.batches import Shared
from control_plane.base.database import Notices, Pool, listening
from control_plane.base.faults import Away, Elsewhere, StoreFault
from control_plane.base.tasks import Loop
from control_plane.live.model.bans import BanList
from control_plane.live.model.permissions import Permission
from control_plane.live.store import bans, keys, owed_cuts

log = structlog.get_logger(__name__)

STALE_AFTER = 30.0  # seconds without notices
CLOSED_FOR = 1.0  # seconds that an unknown path, or one that is over, is remembered
MOST_CLOSED = 10_000
ASKED_AGAIN_AFTER = 1.0  # seconds
HEARTBEAT = 3.0  # seconds
RECONNECT = 0.5  # seconds
LOAD_CHUNK = 500  # paths a query

AGE = Gauge(
    "control_plane_permissions_age_seconds",
    "Since Postgres last said that nothing went unheard.",
)


class Permissions:
    """Read by the auth endpoint, kept fresh by LISTEN."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool = pool
        self._url = url
        self._known: dict[str, Permission] = {}
        self._places: Counter[str] = Counter()
        self._closed: dict[str, tuple[float, Permission | None]] = {}
        self._loads: Shared[str, Permission | None] = Shared(self._load)
        self._asked_again: dict[str, float] = {}
        self._changes: Counter[str] = Counter()  # of each path, since it was read
        self._unsure: set[str] = set()
        self._meanwhile: set[str] | None = None  # changed while all is read
        self._readings = 0  # of all
        self.bans = BanList()
        self._bans_stale = False
        self._bans_task: asyncio.Task[None] | None = None
        self._heard_at = float("-inf")
        self._missed = False  # notices, since viewers were looked at
        self._loop = Loop("permissions", self._listen, RECONNECT)
        self._on_nodes: list[Callable[[], None]] = []

    def recall(self, path: str) -> Permission | None:
        return self._known.get(path)

    def broadcasts(self, node: str) -> int:
        """How many are open there, those without a picture too."""
        return self._places[node]

    def sure_of(self, path: str) -> bool:
        """False once changes may have gone unheard for too long, and where one was
        heard that could not be read."""
        return self.fresh and path not in self._unsure

    @property
    def fresh(self) -> bool:
        return self.age < STALE_AFTER

    @property
    def age(self) -> float:
        """Seconds since the notices were last known to come."""
        return time.monotonic() - self._heard_at

    async def check(self) -> None:
        """Raises Away once changes may have gone unheard for too long."""
        if not self.fresh:
            raise Away("no notices from Postgres")

    async def lookup(self, path: str) -> Permission | None:
        """From memory, else from Postgres. Whoever gives up waiting stops nothing:
        the next one finds it here. Raises Away."""
        known = self._known.get(path)
        if known is not None:
            return known
        until, closed = self._closed.get(path, (0.0, None))
        if until > time.monotonic():
            return closed
        return await self._loads.get(path)

    async def lookup_again(self, path: str) -> Permission | None:
        """From Postgres, though something is remembered: an encoder may be faster
        than the notice about its new key. At most once a second for each path."""
        now = time.monotonic()
        if self._asked_again.get(path, 0.0) > now - ASKED_AGAIN_AFTER:
            return self._known.get(path)
        if len(self._asked_again) >= MOST_CLOSED:
            self._asked_again.clear()
        self._asked_again[path] = now
        return await self._loads.get(path)

    def on_nodes_changed(self, callback: Callable[[], None]) -> None:
        self._on_nodes.append(callback)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        AGE.set_function(lambda: self.age)
        try:
            async with self._loop.running():
                yield
        finally:
            loading: list[asyncio.Task[Any]] = [*self._loads.under_way()]
            if self._bans_task is not None:
                loading.append(self._bans_task)
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)

    async def _listen(self) -> None:
        heard: dict[str, Callable[[str], object]] = {
            "permissions": self._path_changed,
            "nodes": self._nodes_changed,
            "bans": self._bans_changed,
        }
        self._missed = self._missed or self._heard_at > float("-inf")
        async with listening(self._url, heard) as notices:
            await self._load_everything()
            log.info("permissions loaded", paths=len(self._known))
            while True:
                self._heard_at = time.monotonic()
                self._loop.goes_well()
                await self._look_at_viewers()
                for path in self._unsure:
                    self._reload(path)
                await asyncio.sleep(HEARTBEAT)
                await self._check(notices)

    async def _check(self, notices: Notices) -> None:
        try:
            await notices.check()
        except Elsewhere as fault:
            await self._pool.renew(fault)
            raise

    async def _look_at_viewers(self) -> None:
        """Without notices somebody may have been let in who was denied meanwhile."""
        if self._missed:
            with contextlib.suppress(StoreFault):  # it takes no writes: later then
                await owed_cuts.owe(self._pool)
                self._missed = False

    def _nodes_changed(self, _: str = "") -> None:
        for callback in self._on_nodes:
            callback()

    def _bans_changed(self, _: str = "") -> asyncio.Task[None]:
        self._bans_stale = True  # one look that is under way may have been too early
        if self._bans_task is None or self._bans_task.done():
            self._bans_task = asyncio.create_task(self._load_bans())
        return self._bans_task

    async def _load_bans(self) -> None:
        while self._bans_stale:
            self._bans_stale = False
            try:
                self.bans = BanList(await bans.counting(self._pool))
            except Exception as error:  # nobody waits for it who could say so
                self._bans_stale = True
                log.warning("bans not loaded", error=repr(error))
                await asyncio.sleep(RECONNECT)

    def _path_changed(self, path: str) -> None:
        self._changes[path] += 1
        if self._meanwhile is not None:
            self._meanwhile.add(path)
        self._closed.pop(path, None)
        self._reload(path)

    async def _load_everything(self) -> None:
        self._changes.clear()
        changed = self._meanwhile = set()
        try:
            await self._bans_changed()
            known: dict[str, Permission] = {}
            paths = await keys.open_paths(self._pool)
            for start in range(0, len(paths), LOAD_CHUNK):
                chunk = paths[start : start + LOAD_CHUNK]
                known.update(await keys.permissions(self._pool, chunk))
        finally:
            self._meanwhile = None
        self._known = known
        self._readings += 1
        self._places = Counter(one.node for one in known.values() if one.is_open)
        self._closed.clear()
        self._unsure.clear()
        for path in changed:
            self._reload(path)
        self._nodes_changed()

    def _reload(self, path: str) -> None:
        """Once more only where one that is under way may have read before, however
        often it changes: somebody may change theirs all the time."""
        self._loads.ask(path).add_done_callback(_nobody_waits)

    async def _load(self, path: str) -> Permission | None:
        changes, readings = self._changes[path], self._readings
        try:
            found = (await keys.permissions(self._pool, [path])).get(path)
        except Exception:
            if changes:  # what is remembered may not hold any more
                self._unsure.add(path)
            raise
        if self._changes[path] == changes:
            del self._changes[path]
            self._unsure.discard(path)
        if self._readings == readings:  # else all was read, and later
            self._keep(path, found)
        return found

    def _keep(self, path: str, permission: Permission | None) -> None:
        if permission is not None and (permission.is_open or permission.channel_id):
            self._remember(path, permission)
            return
        self._remember(path, None)
        if len(self._closed) >= MOST_CLOSED:
            self._closed.clear()
        self._closed[path] = (time.monotonic() + CLOSED_FOR, permission)

    def _remember(self, path: str, permission: Permission | None) -> None:
        """None: nothing."""
        before = self._known.pop(path, None)
        if before is not None and before.is_open:
            self._places[before.node] -= 1
        if permission is not None:
            self._known[path] = permission
            self._places[permission.node] += permission.is_open


def _nobody_waits(task: "asyncio.Task[Permission | None]") -> None:
    if not task.cancelled():
        task.exception()
