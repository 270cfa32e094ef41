"""The real Postgres, asked one thing at a time: nothing else moves until it answered,
so that the same seed asks the same in the same order. Only who waits for another's lock
is left waiting, and looked after whenever something may have let go."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from asyncpg import connect  # as it is, whatever stands in for it elsewhere

from tests.simulator.loop import Loop

#: What a connection says in passing: by our triggers and functions below.
Said = list[str]

CLOCK = "simulated_clock"
PATIENCE = 0.01  # real seconds until we look whether somebody is waited for
LONGEST_WAIT = 10.0  # virtual seconds, as base/database.py sets it

#: Its clock is ours, its notices are heard when we want, and every change of what must
#: stay right is told in passing.
PREPARED = f"""
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT to_timestamp(pg_catalog.pg_read_file('{CLOCK}')::float8 / 1e6) $$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    at text := current_setting('simulator.at', true);
BEGIN
    IF at IS NULL OR at = '' THEN
        at := pg_catalog.pg_read_file('{CLOCK}');
        PERFORM set_config('simulator.at', at, true);
    END IF;
    RETURN to_timestamp(at::float8 / 1e6);
END $$;
CREATE FUNCTION public.pg_notify(channel text, payload text) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'notice|%|%', channel, payload; END $$;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO PUBLIC;
"""
WATCHED = """
CREATE FUNCTION tell_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE INFO 'session|%|%|%|%|new|%||%', NEW.id, NEW.path, NEW.user_id,
            NEW.node, NEW.status, coalesce(NEW.publisher_id, '');
    ELSIF (OLD.status, OLD.publisher_id, OLD.node) IS DISTINCT FROM
        (NEW.status, NEW.publisher_id, NEW.node)
    THEN
        RAISE INFO 'session|%|%|%|%|%|%|%|%', NEW.id, NEW.path, NEW.user_id, NEW.node,
            OLD.status, NEW.status, coalesce(OLD.publisher_id, ''),
            coalesce(NEW.publisher_id, '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_session AFTER INSERT OR UPDATE ON live_streaming_sessions
    FOR EACH ROW EXECUTE FUNCTION tell_session();
CREATE FUNCTION tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE INFO 'event|%|%|%|%|%|%', NEW.id, NEW.subject, NEW.subject_id, NEW.seq,
        NEW.type, NEW.data;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_event AFTER INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION tell_event();
"""

#: What a migrated database has, and every seed finds.
KEPT = (
    "schema_migrations",
    "event_eras",
    "audit_head",
    "gifts",
    "coin_packages",
    "coin_products",
    "report_reasons",
)
#: What is kept, and says something of what is not.
_FROM_THE_START = (
    "UPDATE audit_head SET number = 0, hash = decode(repeat('00', 32), 'hex')"
)
_TABLES = """
SELECT format('%I', relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r') AND NOT relname = ANY($1)
    AND pg_relation_size(pg_class.oid) > 0 ORDER BY 1
"""
_SEQUENCES = """
SELECT format('%I', sequencename) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
    AND sequencename !~ '^(gifts|coin_packages|report_reasons)_' ORDER BY 1
"""


@dataclass
class _Blocked:
    task: "asyncio.Task[Any]"
    pid: int
    done: "asyncio.Future[None]"


class Postgres:
    """``url``: as the service; ``admin``: as a superuser, of the same database."""

    def __init__(self, url: str, admin: str, folder: Path) -> None:
        self._url = url
        self._admin_url = admin
        self.io = asyncio.new_event_loop()
        self.loop: Loop | None = None
        self.now: Callable[[], float] = lambda: 0.0
        self._clock = os.open(folder / CLOCK, os.O_RDWR | os.O_CREAT, 0o644)
        self._idle: list[Any] = []
        self._borrowed = 0
        self._said: dict[int, Said] = {}
        self._blocked: list[_Blocked] = []
        self._awaited: asyncio.Task[Any] | None = None
        self.asked = 0

    def open(self) -> None:
        self._admin = self.wait(connect(self._admin_url))

    def close(self) -> None:
        for one in [*self._idle, self._admin]:
            self.wait(one.close())
        self.io.close()
        os.close(self._clock)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Nothing else runs until it is done."""
        with self._alone():
            return self.io.run_until_complete(work)

    def reset(self) -> None:
        """As it was when it had just been migrated, and nobody had asked anything."""
        for one in self._idle:
            self.wait(one.execute("DISCARD PLANS"))
        tables = ", ".join(row[0] for row in self.fetch(_TABLES, list(KEPT)))
        if tables:
            sequences = "; ".join(
                f"ALTER SEQUENCE {row[0]} RESTART" for row in self.fetch(_SEQUENCES)
            )
            self.execute(
                f"SET session_replication_role = replica; TRUNCATE {tables} CASCADE;"
                f" {_FROM_THE_START}; RESET session_replication_role; {sequences}"
            )

    def execute(self, sql: str) -> Any:
        """As the superuser."""
        self._set_clock()
        return self.wait(self._admin.execute(sql))

    def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        self._set_clock()
        rows: list[asyncpg.Record] = self.wait(self._admin.fetch(sql, *args))
        return rows

    def borrow(self) -> Any:
        self._borrowed += 1
        if self._idle:
            return self._idle.pop()
        raw = self.wait(connect(self._url))
        said: Said = []
        raw.add_log_listener(lambda _, message: said.append(message.message))
        self._said[id(raw)] = said
        return raw

    def give_back(self, raw: Any) -> None:
        self.heard(raw)
        self._borrowed -= 1
        self._idle.append(raw)

    def said(self, raw: Any) -> Said:
        return self._said[id(raw)]

    def heard(self, raw: Any) -> Said:
        """What it said since it was asked for that last."""
        said = self._said[id(raw)]
        found = said[:]
        said.clear()
        return found

    async def query(self, raw: Any, work: Coroutine[Any, Any, Any]) -> Any:
        self._set_clock()
        self.asked += 1
        task = self.io.create_task(work)
        pid = raw.get_server_pid()
        if not self._answered(task, pid):
            await self._wait_for_lock(task, pid)
        if self._blocked:
            self.look_again()
        return task.result()

    def undo(self, raw: Any) -> None:
        """Its client is gone: what it began never was."""
        for one in [b for b in self._blocked if b.pid == raw.get_server_pid()]:
            self._blocked.remove(one)
            self._cancel(one.task, one.pid)
        self.wait(raw.execute("ROLLBACK") if raw.is_in_transaction() else _nothing())
        self.give_back(raw)
        self.look_again()

    def look_again(self) -> None:
        """Whoever waited for a lock may have it now."""
        for one in list(self._blocked):
            if one in self._blocked and self._answered(one.task, one.pid, first=False):
                self._blocked.remove(one)
                if not one.done.done():
                    one.done.set_result(None)

    async def _wait_for_lock(self, task: "asyncio.Task[Any]", pid: int) -> None:
        assert self.loop is not None
        if self._in_a_circle(pid):
            self._cancel(task, pid)
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        one = _Blocked(task, pid, self.loop.create_future())
        self._blocked.append(one)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await one.done
        except (TimeoutError, asyncio.CancelledError):
            if one in self._blocked:  # it was not undone meanwhile
                self._blocked.remove(one)
                self._cancel(task, pid)
                self.look_again()
            raise

    def _answered(
        self, task: "asyncio.Task[Any]", pid: int, *, first: bool = True
    ) -> bool:
        """False: it waits for a lock of somebody else's transaction."""
        alone = self._borrowed == 1
        with self._alone():
            if first:
                self._run(task, None if alone else PATIENCE)
            while not task.done():
                if self._blockers_of(pid):
                    return task.done()
                self._run(task, PATIENCE)
        return True

    def _blockers_of(self, pid: int) -> list[int]:
        asked = self._admin.fetchval("SELECT pg_blocking_pids($1)", pid)
        found: list[int] = self.io.run_until_complete(asked)
        return found

    def _in_a_circle(self, pid: int) -> bool:
        waiting = {one.pid for one in self._blocked}
        with self._alone():
            seen, to_see = set(), [pid]
            while to_see:
                for blocker in self._blockers_of(to_see.pop()):
                    if blocker == pid:
                        return True
                    if blocker in waiting and blocker not in seen:
                        seen.add(blocker)
                        to_see.append(blocker)
        return False

    def _cancel(self, task: "asyncio.Task[Any]", pid: int) -> None:
        with self._alone():
            asked = self._admin.fetchval("SELECT pg_cancel_backend($1)", pid)
            self.io.run_until_complete(asked)
            while not task.done():
                self._run(task, PATIENCE)
        task.exception()

    def _run(self, task: "asyncio.Task[Any]", seconds: float | None) -> None:
        """``seconds``: None: until it is done."""
        if task.done():
            return
        timer = None if seconds is None else self.io.call_later(seconds, self.io.stop)
        self._awaited = task
        task.add_done_callback(self._stop)
        self.io.run_forever()
        self._awaited = None
        task.remove_done_callback(self._stop)
        if timer is not None:
            timer.cancel()

    def _stop(self, task: "asyncio.Task[Any]") -> None:
        if task is self._awaited:
            self.io.stop()

    def _set_clock(self) -> None:
        os.pwrite(self._clock, b"%016d" % int(self.now() * 1e6), 0)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """The simulated loop stands still, and the one of this runs."""
        loop = self.loop
        if loop is None or asyncio._get_running_loop() is None:
            yield
            return
        task = asyncio.current_task(loop)
        if task is not None:
            asyncio.tasks._leave_task(loop, task)
        asyncio._set_running_loop(None)
        try:
            yield
        finally:
            asyncio._set_running_loop(loop)
            if task is not None:
                asyncio.tasks._enter_task(loop, task)


async def _nothing() -> None:
    pass
