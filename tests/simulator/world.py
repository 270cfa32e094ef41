"""One seed: a world is made, lives, is troubled, calms down and is looked at."""

import asyncio
import contextvars
import hashlib
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from control_plane.base.secrets import Secrets
from control_plane.live.model.nodes import Node as NodeRow
from control_plane.people.model.users import User
from control_plane.people.store import users
from control_plane.wiring.services import Services
from hooks.messages import Request
from tests.simulator import clock
from tests.simulator.driver import Server
from tests.simulator.faults import chaos, plan
from tests.simulator.http import Host, Session
from tests.simulator.loop import Loop
from tests.simulator.network import Wire
from tests.simulator.node import Node
from tests.simulator.oracle import Oracle
from tests.simulator.oracle import Session as Seen
from tests.simulator.payers import Buyer, Giver
from tests.simulator.people import Fan, Operator, Person, Phone, Studio, Viewer
from tests.simulator.plane import SECRET, Plane, Role
from tests.simulator.postgres import Postgres
from tests.simulator.quiet import acts_in_time
from tests.simulator.readers import CursorReader, Receiver
from tests.simulator.servers import Servers
from tests.simulator.valkey import Valkey

T = TypeVar("T")

TROUBLED = 18.0  # seconds
#: A lease runs out and is taken (8 s; 12 of a receiver's), a
#: reconnect window ends (6 s), then two rounds.
CALM = 30.0
MOST_PEOPLE = 12
LOOK_EVERY = 5.0  # seconds
LONGEST_RETRY = 900.0  # seconds until a receiver has all


async def _viewers(session_id: int, found: Services) -> int:
    session = await found.broadcasts.get(session_id)
    return (await found.counts.of([session]))[session_id]


@dataclass(frozen=True)
class Try:
    """``faults``: by their numbers in its plan; None: all of them."""

    seed: int
    faults: frozenset[int] | None = None

    def has(self, number: int) -> bool:
        return self.faults is None or number in self.faults


class World:
    def __init__(
        self, tried: Try, postgres: Postgres, servers: Servers, *, story: bool
    ) -> None:
        self.seed = seed = tried.seed
        every = plan(seed, TROUBLED)
        self.faults = [one for one in every if tried.has(one.number)]
        self.chance = random.Random(seed)  # noqa: S311
        self.loop = Loop()
        self.began = self.loop.time()
        self.postgres = postgres
        postgres.loop, postgres.now = self.loop, self.wall
        self.server = Server(postgres, Wire("postgres", self.chance, 0.0002, 0.0005))
        self.valkey = Valkey(
            servers.valkey,
            servers.password,
            Wire("redis", self.chance, 0.0001, 0.0003),
        )
        self.oracle = Oracle(self)
        self.server.on_commit = self.oracle.committed
        self.server.note = self._asked
        self.calm = asyncio.Event()
        self.nodes: dict[str, Node] = {}
        self.planes: list[Plane] = []
        self.receivers: list[Receiver] = []
        self.story: list[str] | None = [] if story else None
        self._trace = hashlib.sha256()
        self._outside = contextvars.copy_context()
        Session.spawn = self.spawn

    def run(self) -> str:
        """The trace's hash: the same seed has the same."""
        self.postgres.reset()
        self.valkey.forget_everything()
        asyncio.set_event_loop(self.loop)
        try:
            with clock.simulated(self.loop, self.server, self.valkey, self.seed):
                self.loop.run_until_complete(self._live())
                self._end()
        finally:
            self.server.cut_all()
            self.valkey.cut_all()
            self.postgres.loop = None
            asyncio.set_event_loop(None)
            self.loop.close()
        return self._trace.hexdigest()[:16]

    def wall(self) -> float:
        return clock.wall(self.loop)

    def note(self, who: str, what: str) -> None:
        line = f"{self.loop.time() - self.began:9.4f} {who:9} {what}"
        self._trace.update(line.encode())
        if self.story is not None:
            self.story.append(line)

    def _asked(self, who: str, query: str) -> None:
        self._trace.update(f"{self.loop.time():.6f} {who} {query}".encode())

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Outside of all processes of ours, whoever calls."""
        return self.loop.create_task(work, context=self._outside.copy())

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self.loop.call_later(seconds, what, context=self._outside)

    async def gate(self, request: Request) -> int:
        """What stands before the auth processes asks another where one is gone."""
        gates = [plane for plane in self.planes if plane.role == "auth"]
        self.chance.shuffle(gates)
        for plane in gates[:-1]:
            if plane.listener is not None:
                return await plane.answer(request)
        return await gates[-1].answer(request)

    async def ask(self, use: Callable[[Services], Awaitable[T]]) -> T:
        """An app's request, to whichever process takes it."""
        up = [plane for plane in self.planes if plane.role == "api" and plane.up]
        if not up:
            raise ConnectionRefusedError("api")
        return await self.chance.choice(up).ask(use)

    def some_node(self) -> Node:
        return self.chance.choice(list(self.nodes.values()))

    def some_session(self) -> Seen | None:
        found = [s for s in self.oracle.sessions.values() if s.status == "live"]
        return self.chance.choice(found) if found else None

    async def _live(self) -> None:
        await self._make()
        living = [asyncio.create_task(one.live()) for one in self.people]
        await chaos(self, self.faults, TROUBLED)
        self.calm.set()
        self.note("calm", "")
        await asyncio.wait(living)
        for one in living:
            one.result()
        await asyncio.sleep(CALM)
        self.oracle.settled()
        await self._viewers_counted()
        await acts_in_time(self)
        await self._told_everything()
        self._counted()
        self.oracle.ledger()

    async def _make(self) -> None:
        chance = self.chance
        roles: list[Role] = ["auth", "api", "work"]
        for role in roles:
            for number in range(1, chance.choice([2, 2, 3])):
                self._start(Plane(self, role, number))
        await asyncio.sleep(0.5)
        people = self._people()
        self.reader = CursorReader(self, next(people))
        self.people: list[Person] = [self.reader]
        for number in range(1, chance.choice([2, 3])):
            await self._add_node(f"node-{number}", old=chance.random() < 0.3)
        for number in range(1, chance.choice([2, 2, 3])):
            receiver = Receiver(self, f"receiver-{number}")
            await receiver.register(self.reader)
            self.receivers.append(receiver)
        self.givers = [Giver(self, next(people)) for _ in range(2)]
        kinds = [Phone, Phone, Studio, Viewer, Operator]
        self.fans = [Fan(self, next(people)) for _ in range(2)]
        self.buyer = Buyer(self, next(people))
        self.people += [
            *self.givers,
            *self.fans,
            self.buyer,
            *(kind(self, next(people)) for kind in kinds),
        ]
        await asyncio.sleep(4.0)  # somebody owns each node

    def _start(self, plane: Plane) -> None:
        self.planes.append(plane)
        plane.start()

    def _people(self) -> Iterator[User]:
        made = "INSERT INTO users (username) VALUES ('user' || $1::int)"
        for number in range(1, MOST_PEOPLE + 1):
            self.postgres.fetch(made, number)
            rows = self.postgres.fetch(f"{users.SELECT} WHERE u.id = $1", number)
            yield User(**dict(rows[0]))

    async def _add_node(self, name: str, *, old: bool) -> None:
        secret = Secrets(SECRET).known_of_node(name)[0]
        node = Node(self, name, old=old, secret=secret)
        self.nodes[name] = node
        Session.hosts[name] = Host(node.api, node.handle)
        url = f"x://{name}"
        row = NodeRow(name, f"http://{name}", url, url, url, url, url)
        await self.reader.insist(lambda s: s.nodes.save(row))

    async def _told_everything(self) -> None:
        for one in self.receivers:
            await one.switch_on(self.reader)
        for _ in range(int(LONGEST_RETRY / LOOK_EVERY)):
            if not any(one.missing for one in self.receivers):
                break
            await asyncio.sleep(LOOK_EVERY)
        for one in self.receivers:
            self.oracle.check(not one.missing, f"{one.name} misses {one.missing}")
        await self.reader.has_all()

    async def _viewers_counted(self) -> None:
        """Where the node can list them."""
        for seen in self.oracle.sessions.values():
            node = self.nodes[seen.node]
            if seen.status == "live" and not node.old:
                there = {v.secret for v in node.viewers.values() if v.path == seen.path}
                said = await self.reader.insist(partial(_viewers, seen.id))
                self.oracle.check(
                    said == len(there),
                    f"session {seen.id} has {len(there)} viewers, and {said} are said",
                )

    def _counted(self) -> None:
        self.buyer.count()
        for giver in [*self.givers, self.buyer]:
            rows = self.postgres.fetch(
                "SELECT trial + paid + bonus + earnings AS wallet FROM wallets"
                " WHERE user_id = $1",
                giver.user.id,
            )
            has = rows[0][0]
            self.oracle.check(
                has == giver.coins,
                f"{giver.user.username} has {has} of {giver.coins} coins",
            )

    def _end(self) -> None:
        """What still runs is let go of, without a word."""
        for plane in self.planes:
            if plane.process is not None and plane.process.alive:
                plane.kill()
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
