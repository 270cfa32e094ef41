"""A process that moves coins as fast as it can, to be killed at any moment.

Arguments: the database, a session, its broadcaster, and those who give. Each line that
it prints is a gift or purchase that was answered, so it must be there afterwards.
"""

import asyncio
import itertools
import sys

from control_plane.base import database
from control_plane.base.refusals import Refusal
from control_plane.coins.model.gifts import GiftOrder
from control_plane.coins.model.idempotency import request_key
from control_plane.coins.model.purchases import Claim
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.purchases import Purchases


async def main(url: str, run: str, session_id: int, givers: list[int]) -> None:
    async with database.open_pool(url) as pool:
        gifts = Gifts(pool, share_percent=0, created_sessions=False)
        shop = Purchases(pool, {}, test_purchases=True, sandbox_purchases=True)

        async def give(user_id: int) -> None:
            for number in itertools.count():
                name = f"{run}-{user_id}-{number}"
                key = request_key(name, "gift", {})
                claim = Claim("apple", name, coins=100)
                try:
                    order = GiftOrder(user_id, 1, 3, session_id=session_id)
                    sent = await gifts.send(order, key)
                    print("gift", sent.id, flush=True)
                except Refusal:
                    bought = await shop.buy(user_id, claim)
                    print("purchase", bought.purchase.id, flush=True)

        await asyncio.gather(*(give(user_id) for user_id in givers))


if __name__ == "__main__":
    asyncio.run(
        main(
            sys.argv[1],
            sys.argv[2],
            int(sys.argv[3]),
            [int(text) for text in sys.argv[4].split(",")],
        )
    )
