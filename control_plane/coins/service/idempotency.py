"""One transaction on one wallet, that counts once however often it is asked for."""

from collections.abc import Awaitable, Callable

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model.idempotency import (
    Outcome,
    RequestKey,
    Stored,
    refused,
    replay,
)
from control_plane.coins.model.ledger import Balances
from control_plane.coins.store import idempotency, ledger

Work = Callable[[Connection, Balances], Awaitable[Outcome]]


async def once(pool: Pool, user_id: int, key: RequestKey | None, work: Work) -> Outcome:
    """What ``work`` returned, now or the first time. A refusal stays a refusal."""
    refusal: Refusal | None = None
    outcome: Outcome = {}
    async with pool.transaction() as connection:
        has = (await ledger.lock(connection, [user_id])).get(user_id)
        if has is None:
            raise Empty
        if key is None:
            return await work(connection, has)
        stored = (await idempotency.find(connection, [(user_id, key.key)])).get(
            (user_id, key.key)
        )
        if stored is not None:
            return replay(stored, key)
        try:
            async with connection.transaction():
                outcome = await work(connection, has)
            ended = Stored(key.fingerprint, 200, outcome)
        except Refusal as raised:
            refusal, ended = raised, refused(key.fingerprint, raised)
        await idempotency.save(connection, {(user_id, key.key): ended})
    if refusal is not None:
        raise refusal
    return outcome


async def known(pool: Pool, user_id: int, key: RequestKey | None) -> Outcome | None:
    """The first answer, where there is one, before anybody outside is asked. Raises
    it when it was a refusal."""
    if key is None:
        return None
    named = (user_id, key.key)
    async with pool.acquire() as connection:
        stored = (await idempotency.find(connection, [named])).get(named)
    return None if stored is None else replay(stored, key)
