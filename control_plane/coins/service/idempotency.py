"""One transaction on one wallet, that counts once however often it is asked for."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.base.tasks import Loop
from control_plane.coins.model.idempotency import (
    Outcome,
    RequestKey,
    Stored,
    done,
    refused,
    replay,
)
from control_plane.coins.model.ledger import Balances
from control_plane.coins.store import idempotency, ledger

FORGET_EVERY = 600.0  # seconds
FORGOTTEN_AT_ONCE = 5000  # keys

Work = Callable[[Connection, Balances], Awaitable[Outcome]]


async def once(
    pool: Pool,
    user_id: int,
    key: RequestKey | None,
    work: Work[Outcome],
    kind: Callable[..., Outcome],
) -> Outcome:
    """What ``work`` returned, now or the first time: a ``kind``. A refusal stays a
    refusal."""
    async with pool.transaction() as connection:
        has = (await ledger.lock(connection, [user_id])).get(user_id)
        if has is None:
            raise Empty
        if key is None:
            return await work(connection, has)
        stored = await _stored(connection, user_id, key)
        if stored is None:
            stored = await _ended(connection, key, has, work)
            await idempotency.save(connection, {(user_id, key.key): stored})
    return replay(stored, key, kind)


async def _ended(
    connection: Connection, key: RequestKey, has: Balances, work: Work[Outcome]
) -> Stored:
    """What a refused one has done so far is undone."""
    try:
        async with connection.transaction():
            return done(key, await work(connection, has))
    except Refusal as refusal:
        return refused(key, refusal)


async def known(
    pool: Pool, user_id: int, key: RequestKey | None, kind: Callable[..., Outcome]
) -> Outcome | None:
    """The first answer, where there is one, before anybody outside is asked. Raises
    it when it was a refusal."""
    if key is None:
        return None
    async with pool.acquire() as connection:
        stored = await _stored(connection, user_id, key)
    return None if stored is None else replay(stored, key, kind)


async def _stored(
    connection: Connection, user_id: int, key: RequestKey
) -> Stored | None:
    named = (user_id, key.key)
    return (await idempotency.find(connection, [named])).get(named)


class Forgetting:
    """Keys end: whoever repeats a request after that long means a new one."""

    def __init__(self, pool: Pool, days: float) -> None:
        self._pool = pool
        self._kept = timedelta(days=days)

    async def turn(self) -> None:
        most = FORGOTTEN_AT_ONCE
        while await idempotency.forget(self._pool, self._kept, most) == most:
            pass

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with Loop("idempotency_keys_end", self.turn, FORGET_EVERY).running():
            yield
