"""Sending gifts, many in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from control_plane.base.batches import Lane
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Collided, Rejected
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model import ledger as rules
from control_plane.coins.model.gifts import (
    Facts,
    Gift,
    GiftOrder,
    GiftRow,
    SentGift,
    check_coins,
    judge,
)
from control_plane.coins.model.idempotency import (
    RequestKey,
    Stored,
    done,
    refused,
    replay,
)
from control_plane.coins.model.ledger import Balances
from control_plane.coins.store import gifts, idempotency, ledger
from control_plane.events.log import (
    Happened,
    append_session_events,
    append_user_events,
)
from control_plane.live.store import sessions
from control_plane.people.store import social, users
from control_plane.videos.store import videos

#: One broadcaster's gifts go through one lane: two batches would only wait for each
#: other's locks. Others share the lanes, so that they are gathered too.
LANES = 3
MOST = 250  # gifts in a batch
NEWEST = 2**31 - 1

#: What concerns one gift of a batch, not the way to Postgres.
OF_ONE_GIFT = (Rejected, Collided)


@dataclass(frozen=True, slots=True)
class Wanted:
    order: GiftOrder
    key: RequestKey | None


class Gifts:
    def __init__(
        self, pool: Pool, *, share_percent: int, created_sessions: bool
    ) -> None:
        """``created_sessions``: a session takes gifts before its first picture, for
        apps whose video goes another way."""
        self._pool = pool
        self._share_percent = share_percent
        self._giving = frozenset({"live", "created"} if created_sessions else {"live"})
        self._lanes: list[Lane[Wanted, SentGift]] = [
            Lane(self._send, MOST, of_one=OF_ONE_GIFT) for _ in range(LANES)
        ]

    async def catalogue(self) -> list[Gift]:
        """On sale now."""
        return await gifts.catalogue(self._pool)

    async def get(self, gift_id: int) -> Gift:
        """Also one that is not on sale any more."""
        found = (await gifts.by_id(self._pool, [gift_id])).get(gift_id)
        if found is None:
            raise Empty
        return found

    async def sent(
        self, limit: int, before: int | None = None, session_id: int = 0
    ) -> list[GiftRow]:
        """Newest first. ``before``: an id. ``session_id`` 0: in any, or in none."""
        below = NEWEST if before is None else before
        if not session_id:
            return await gifts.sent(self._pool, below, limit)
        return await gifts.of_session(self._pool, session_id, below, limit)

    async def send(self, order: GiftOrder, key: RequestKey | None = None) -> SentGift:
        """Raises Refusal, and then nothing has happened."""
        place = order.session_id or order.video_id or order.receiver_id
        return await self._lanes[place % LANES].submit(Wanted(order, key))

    async def _send(self, wanted: Sequence[Wanted]) -> Sequence[SentGift | Exception]:
        async with self._pool.acquire() as connection:
            return await self._together(connection, wanted)

    async def _together(
        self, connection: Connection, wanted: Sequence[Wanted]
    ) -> Sequence[SentGift | Exception]:
        async with connection.transaction():
            facts, has = await self._facts(connection, wanted)
            named = [(w.order.sender_id, w.key.key) for w in wanted if w.key]
            known = await idempotency.find(connection, named) if named else {}
            ids = await gifts.reserve(connection, len(wanted))
            batch = Batch(facts, has, dict(known), self._share_percent)
            results = [
                batch.decide(one, *own) for one, own in zip(wanted, ids, strict=True)
            ]
            if batch.given:
                await gifts.write(connection, batch.given)
            if batch.of_sessions:
                await append_session_events(connection, "gift.sent", batch.of_sessions)
            if batch.of_users:
                await append_user_events(connection, "gift.sent", batch.of_users)
            new = {k: s for k, s in batch.stored.items() if k not in known}
            if new:
                await idempotency.save(connection, new)
        return results

    async def _facts(
        self, connection: Connection, wanted: Sequence[Wanted]
    ) -> tuple[Facts, dict[int, Balances]]:
        orders = [one.order for one in wanted]
        session_ids = {order.session_id for order in orders} - {0}
        video_ids = {order.video_id for order in orders} - {0}
        facts = Facts(
            gifts=await gifts.by_id(connection, {order.gift_id for order in orders}),
            sessions=await sessions.lock(connection, session_ids)
            if session_ids
            else {},
            video_owners=await videos.owners(connection, video_ids)
            if video_ids
            else {},
            users={},
            blocks=set(),
            giving=self._giving,
        )
        people = {order.sender_id for order in orders}
        people |= {facts.receiver(order) for order in orders} - {0}
        balances = await ledger.lock(connection, people)
        names = await users.names_of_present(connection, people)
        blocks = await social.blocks_among(connection, people)
        return replace(facts, users=names, blocks=blocks), dict(balances)


class Batch:
    """Gifts decided one after the other, each with what the ones before it left."""

    def __init__(
        self,
        facts: Facts,
        has: dict[int, Balances],
        stored: dict[tuple[int, str], Stored],
        share_percent: int,
    ) -> None:
        self._facts = facts
        self._has = has
        self._share_percent = share_percent
        self.stored = stored
        self.given: list[gifts.Given] = []
        # Events: of the live session where there is one, else of the receiver.
        self.of_sessions: list[Happened] = []
        self.of_users: list[Happened] = []

    def decide(
        self, wanted: Wanted, transfer_id: int, gift_transaction_id: int
    ) -> SentGift | Exception:
        key, sender_id = wanted.key, wanted.order.sender_id
        try:
            if key is None:
                return self._give(wanted.order, transfer_id, gift_transaction_id)
            stored = self.stored.get((sender_id, key.key))
            if stored is not None:
                return replay(stored, key, SentGift)
            sent = self._give(wanted.order, transfer_id, gift_transaction_id)
            self.stored[sender_id, key.key] = done(key, sent)
            return sent
        except Refusal as refusal:
            if key is not None:
                self.stored.setdefault((sender_id, key.key), refused(key, refusal))
            return refusal

    def _give(self, order: GiftOrder, transfer_id: int, own_id: int) -> SentGift:
        gift = judge(order, self._facts)
        sender_id, receiver_id = order.sender_id, self._facts.receiver(order)
        coins = gift.coins * order.count
        has = self._has.get(sender_id, Balances())
        check_coins(has, coins)
        entries = rules.gift(sender_id, has, receiver_id, coins, self._share_percent)
        for user_id in (sender_id, receiver_id):
            self._has[user_id] = self._has[user_id].after(user_id, entries)
        sent = SentGift(
            id=own_id,
            gift_id=gift.id,
            count=order.count,
            coins=coins,
            sender_id=sender_id,
            receiver_id=receiver_id,
            session_id=order.session_id,
            video_id=order.video_id,
            wallet=self._has[sender_id].wallet,
        )
        self.given.append(gifts.Given(transfer_id, sent, entries))
        self._happened(sent, gift)
        return sent

    def _happened(self, sent: SentGift, gift: Gift) -> None:
        event = _event(sent, gift, self._facts.users.get(sent.sender_id, ""))
        if sent.session_id:
            self.of_sessions.append((sent.session_id, event))
        else:
            self.of_users.append((sent.receiver_id, event))


def _event(sent: SentGift, gift: Gift, sender: str) -> dict[str, object]:
    return {
        "id": sent.id,
        "gift_id": gift.id,
        "title": gift.title,
        "count": sent.count,
        "coin": sent.coins,
        "sender_id": sent.sender_id,
        "sender": sender,
        "receiver_id": sent.receiver_id,
        "video_id": sent.video_id,
        "image": gift.image,
    }
