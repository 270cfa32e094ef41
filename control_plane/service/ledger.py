"""What users have."""

from collections.abc import Sequence

from control_plane.store import ledger
from control_plane.store.database import Pool


class Ledger:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def wallet(self, user_id: int) -> int:
        """The coins a user can spend; 0 for nobody."""
        return (await self.wallets([user_id]))[user_id]

    async def wallets(self, user_ids: Sequence[int]) -> dict[int, int]:
        """Of each, also of those that do not exist."""
        return dict.fromkeys(user_ids, 0) | await ledger.wallets(self._pool, user_ids)

    async def received(self, user_id: int) -> int:
        """All coins that gifts ever brought: the apps' ``total_all_time_coins``."""
        return await ledger.received(self._pool, user_id)
