"""What users have."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from control_plane.audit.log import record
from control_plane.base.batches import Reads
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Refusal
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.idempotency import request_key
from control_plane.coins.model.ledger import Balances, Purse
from control_plane.coins.service.idempotency import once
from control_plane.coins.store import ledger
from control_plane.events.log import append_user_event

MOST_BONUS = 1_000_000  # coins at once: a slip of the finger stays small


@dataclass(frozen=True, slots=True)
class Left:
    """What a user has after a request."""

    wallet: int


class Ledger:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._purses = Reads(partial(ledger.purses, pool))

    async def wallet(self, user_id: int) -> int:
        """The coins a user can spend; 0 for nobody."""
        return (await self.wallets([user_id]))[user_id]

    async def wallets(self, user_ids: Sequence[int]) -> dict[int, int]:
        """Of each, also of those that do not exist."""
        return dict.fromkeys(user_ids, 0) | await ledger.wallets(self._pool, user_ids)

    async def purse(self, user_id: int) -> Purse:
        return await self._purses.get(user_id) or Purse(0, 0)

    async def balances(self, user_id: int) -> Balances:
        return await ledger.balances(self._pool, user_id)

    async def give_bonus(self, user_id: int, coins: int, reason: str, key: str) -> int:
        """From an operator; what the user has then. ``key``: the same again gives
        nothing more; empty: each call counts."""
        if not 1 <= coins <= MOST_BONUS:
            raise Refusal(f"Give 1 to {MOST_BONUS} coins at once.")

        async def work(connection: Connection, has: Balances) -> Left:
            entries = rules.bonus(user_id, coins)
            await ledger.transfer(connection, "bonus", entries)
            data = {"coin": coins, "reason": reason}
            await append_user_event(connection, user_id, "coins.bonus", data)
            subject, after = f"user/{user_id}", {"coins": coins, "reason": reason}
            await record(connection, "coins.bonus", subject, after=after)
            return Left(has.after(user_id, entries).wallet)

        said = {"user_id": user_id, "coins": coins, "reason": reason}
        named = request_key(f"operator:{key}" if key else "", "bonus", said)
        return (await once(self._pool, user_id, named, work, Left)).wallet
