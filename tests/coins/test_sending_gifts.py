"""Gifts: what one does, and when one is refused."""

import asyncio

import pytest

from control_plane.base.database import Pool
from control_plane.base.faults import Rejected
from control_plane.base.refusals import Empty, Refusal
from control_plane.coins.model.gifts import FROZEN, TOO_FEW_COINS, GiftOrder
from control_plane.coins.model.idempotency import ANOTHER_REQUEST, request_key
from control_plane.coins.model.ledger import Balances, purchase, refund
from control_plane.coins.service.gifts import Gifts
from control_plane.coins.service.idempotency import Forgetting
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.store import ledger
from control_plane.people.service.social import Social
from tests.support.locks import WAITING
from tests.support.money import (
    DIAMOND,
    HEART,
    ROSE,
    end_session,
    everything,
    kinds,
    new_session,
    new_user,
)
from tests.support.stack import until


def service(pool: Pool, share: int = 0, *, created: bool = False) -> Gifts:
    return Gifts(pool, share_percent=share, created_sessions=created)


async def test_a_key_ends_after_its_time(pool: Pool) -> None:
    fan, star = await new_user(pool, 100), await new_user(pool)
    key = request_key("k", "sendGift", {})
    order, gifts = GiftOrder(fan, ROSE, 1, star), service(pool)
    first = await gifts.send(order, key)
    await Forgetting(pool, days=30).turn()
    assert (await gifts.send(order, key)).id == first.id
    await pool.execute(
        "UPDATE idempotency_keys SET created_at = now() - '31 d'::interval"
    )
    await Forgetting(pool, days=30).turn()
    assert (await gifts.send(order, key)).id != first.id


async def test_a_gift_in_a_live_session(pool: Pool) -> None:
    fan, star = await new_user(pool, 500), await new_user(pool)
    session = await new_session(pool, star)
    sent = await service(pool).send(GiftOrder(fan, HEART, 3, session_id=session))
    assert (sent.coins, sent.wallet, sent.receiver_id) == (150, 350, star)
    assert await Ledger(pool).wallets([fan, star]) == {fan: 350, star: 150}
    assert (await Ledger(pool).purse(star)).received == 150
    assert await kinds(pool, "session", session) == ["gift.sent"]


@pytest.mark.parametrize("receiver_blocks", [True, False])
async def test_none_over_a_block(pool: Pool, receiver_blocks: bool) -> None:
    fan, star = await new_user(pool, 500), await new_user(pool)
    session = await new_session(pool, star)
    pair = (star, fan) if receiver_blocks else (fan, star)
    await Social(pool).toggle_block(*pair)
    for order in (
        GiftOrder(fan, HEART, 1, session_id=session),
        GiftOrder(fan, HEART, 1, receiver_id=star),
    ):
        with pytest.raises(Refusal, match="You cannot send gifts to this user"):
            await service(pool).send(order)
    assert await Ledger(pool).wallet(fan) == 500
    assert await kinds(pool, "session", session) == []


async def test_each_side_sees_one_coin_transaction(pool: Pool) -> None:
    fan, star = await new_user(pool, 5), await new_user(pool)
    async with pool.acquire() as connection:
        bought = purchase(fan, Balances(), 5)
        await ledger.transfer(connection, "purchase", bought)
    await service(pool).send(GiftOrder(fan, ROSE, 1, receiver_id=star))
    rows = await pool.fetch(
        "SELECT user_id, coins FROM coin_transactions WHERE kind = 'gift'"
        " ORDER BY coins"
    )
    assert [tuple(row) for row in rows] == [(fan, -10), (star, 10)]


async def test_a_gift_to_a_user_is_the_users_event(pool: Pool) -> None:
    fan, star = await new_user(pool, 20), await new_user(pool)
    gifts = service(pool)
    await asyncio.gather(
        *(gifts.send(GiftOrder(fan, ROSE, 1, receiver_id=star)) for _ in range(2))
    )
    assert await kinds(pool, "user", star) == ["gift.sent", "gift.sent"]


async def test_a_gift_on_a_video_goes_to_its_owner(pool: Pool) -> None:
    fan, star = await new_user(pool, 20), await new_user(pool)
    video = await pool.fetchval(
        "INSERT INTO videos (user_id, video_url) VALUES ($1, '/v') RETURNING id", star
    )
    sent = await service(pool).send(GiftOrder(fan, ROSE, 1, video_id=video))
    assert (sent.receiver_id, sent.video_id) == (star, video)
    with pytest.raises(Refusal, match="not the receiver's video"):
        await service(pool).send(GiftOrder(fan, ROSE, 1, fan, video_id=video))


async def test_bonus_is_spent_before_paid_and_earned_coins(pool: Pool) -> None:
    fan, star = await new_user(pool, 7), await new_user(pool)
    async with pool.acquire() as connection:
        await ledger.transfer(connection, "purchase", purchase(fan, Balances(), 5))
    await service(pool).send(GiftOrder(fan, ROSE, 1, receiver_id=star))
    assert await ledger.balances(pool, fan) == Balances(paid=2)
    assert await ledger.balances(pool, star) == Balances(earnings=10)


async def test_the_platforms_share_is_rounded_down(pool: Pool) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    await service(pool, share=33).send(GiftOrder(fan, ROSE, 1, receiver_id=star))
    assert await Ledger(pool).wallet(star) == 7
    share = "SELECT sum(amount) FROM ledger_entries WHERE account = 'share'"
    assert await pool.fetchval(share) == 3


async def refused(pool: Pool, order: GiftOrder, why: str, **more: bool) -> None:
    before = await everything(pool)
    with pytest.raises(Refusal, match=why):
        await service(pool, **more).send(order)
    assert await everything(pool) == before


async def test_it_refuses_a_gift_without_coins(pool: Pool) -> None:
    fan, star = await new_user(pool, 999), await new_user(pool)
    await refused(pool, GiftOrder(fan, DIAMOND, 1, star), TOO_FEW_COINS)


@pytest.mark.parametrize("status", ["created", "reconnecting", "ended"])
async def test_it_refuses_a_session_that_is_not_live(pool: Pool, status: str) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    session = await new_session(pool, star, status)
    order = GiftOrder(fan, ROSE, 1, star, session_id=session)
    await refused(pool, order, "not live")


async def test_a_created_session_counts_where_that_is_set(pool: Pool) -> None:
    fan, star = await new_user(pool, 20), await new_user(pool)
    session = await new_session(pool, star, "created")
    order = GiftOrder(fan, ROSE, 1, session_id=session)
    assert (await service(pool, created=True).send(order)).receiver_id == star
    await end_session(pool, session)
    await refused(pool, order, "not live", created=True)


async def test_it_refuses_somebody_elses_session(pool: Pool) -> None:
    fan, star, other = [await new_user(pool, 10) for _ in range(3)]
    session = await new_session(pool, star)
    order = GiftOrder(fan, ROSE, 1, other, session_id=session)
    await refused(pool, order, "not the receiver's live")


@pytest.mark.parametrize("count", [-1, 0, 1000])
async def test_it_refuses_a_wrong_count(pool: Pool, count: int) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    await refused(pool, GiftOrder(fan, ROSE, count, star), "1 to 999")


async def test_it_refuses_a_gift_that_is_not_on_sale(pool: Pool) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    await pool.execute("UPDATE gifts SET on_sale = false WHERE id = $1", ROSE)
    await refused(pool, GiftOrder(fan, ROSE, 1, star), "not on sale")
    assert ROSE not in [gift.id for gift in await service(pool).catalogue()]


async def test_it_refuses_a_gift_to_oneself(pool: Pool) -> None:
    fan = await new_user(pool, 10)
    await refused(pool, GiftOrder(fan, ROSE, 1, fan), "to yourself")
    session = await new_session(pool, fan)
    await refused(pool, GiftOrder(fan, ROSE, 1, session_id=session), "to yourself")


@pytest.mark.parametrize("gone", ["banned_at", "deleted_at"])
async def test_it_refuses_a_gift_to_somebody_gone(pool: Pool, gone: str) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    await pool.execute(f"UPDATE users SET {gone} = now() WHERE id = $1", star)  # noqa: S608
    await refused(pool, GiftOrder(fan, ROSE, 1, star), "EMPTY")


@pytest.mark.parametrize(
    "named", [{"gift_id": 99}, {"session_id": 99}, {"video_id": 99}, {}]
)
async def test_it_refuses_what_does_not_exist(
    pool: Pool, named: dict[str, int]
) -> None:
    fan = await new_user(pool, 10)
    order = GiftOrder(**({"sender_id": fan, "gift_id": ROSE, "count": 1} | named))
    before = await everything(pool)
    with pytest.raises(Empty):
        await service(pool).send(order)
    assert await everything(pool) == before


async def test_who_owes_a_refund_gives_nothing(pool: Pool) -> None:
    fan, star = await new_user(pool, 100), await new_user(pool)
    async with pool.acquire() as connection:
        await ledger.transfer(connection, "refund", refund(fan, Balances(), 5))
    await refused(pool, GiftOrder(fan, ROSE, 1, star), FROZEN)


async def test_the_same_key_counts_once(pool: Pool) -> None:
    fan, star = await new_user(pool, 100), await new_user(pool)
    gifts, key = service(pool), request_key("k", "sendGift", {"gift_id": ROSE})
    order = GiftOrder(fan, ROSE, 1, star)
    together = await asyncio.gather(*(gifts.send(order, key) for _ in range(20)))
    later = await service(pool).send(order, key)
    assert {sent.id for sent in [*together, later]} == {later.id}
    assert later.wallet == 90
    assert await Ledger(pool).wallets([fan, star]) == {fan: 90, star: 10}


async def test_the_same_key_for_another_request_is_refused(pool: Pool) -> None:
    fan, star = await new_user(pool, 100), await new_user(pool)
    gifts = service(pool)
    order = GiftOrder(fan, ROSE, 1, star)
    await gifts.send(order, request_key("k", "sendGift", {"gift_count": 1}))
    with pytest.raises(Refusal, match=ANOTHER_REQUEST):
        await gifts.send(order, request_key("k", "sendGift", {"gift_count": 2}))
    assert await Ledger(pool).wallet(star) == 10


async def test_two_users_may_choose_the_same_key(pool: Pool) -> None:
    one, two = await new_user(pool, 10), await new_user(pool, 10)
    star, key = await new_user(pool), request_key("k", "sendGift", {})
    gifts = service(pool)
    await asyncio.gather(
        *(gifts.send(GiftOrder(user, ROSE, 1, star), key) for user in (one, two))
    )
    assert await Ledger(pool).wallet(star) == 20


async def test_what_failed_for_lack_of_coins_stays_failed(pool: Pool) -> None:
    fan, star = await new_user(pool), await new_user(pool)
    gifts, key = service(pool), request_key("k", "sendGift", {})
    order = GiftOrder(fan, ROSE, 1, star)
    with pytest.raises(Refusal, match=TOO_FEW_COINS):
        await gifts.send(order, key)
    async with pool.acquire() as connection:
        await ledger.transfer(connection, "purchase", purchase(fan, Balances(), 50))
    with pytest.raises(Refusal, match=TOO_FEW_COINS):
        await gifts.send(order, key)
    assert await Ledger(pool).wallet(fan) == 50


async def test_a_hundred_spends_of_one_balance_end_at_zero(pool: Pool) -> None:
    fan, stars = await new_user(pool, 500), [await new_user(pool) for _ in range(7)]
    processes = [service(pool) for _ in range(3)]  # each has its own batches
    results = await asyncio.gather(
        *(
            processes[n % 3].send(GiftOrder(fan, ROSE, 1, stars[n % 7]))
            for n in range(100)
        ),
        return_exceptions=True,
    )
    refusals = [one for one in results if isinstance(one, BaseException)]
    assert {str(refusal) for refusal in refusals} == {TOO_FEW_COINS}
    assert len(refusals) == 50
    assert await Ledger(pool).wallet(fan) == 0
    assert sum((await Ledger(pool).wallets(stars)).values()) == 500


async def test_a_session_that_ends_meanwhile_gets_no_gift(pool: Pool) -> None:
    fan, star = await new_user(pool, 10), await new_user(pool)
    session = await new_session(pool, star)
    async with pool.transaction() as connection:
        await connection.execute(
            "UPDATE live_streaming_sessions SET status = 'ended', ended_at = now(),"
            " end_reason = 'completed', publisher_id = NULL WHERE id = $1",
            session,
        )
        order = GiftOrder(fan, ROSE, 1, session_id=session)
        sending = asyncio.create_task(service(pool).send(order))
        await _blocked(pool)
    with pytest.raises(Refusal, match="not live"):
        await sending
    assert await Ledger(pool).wallet(fan) == 10


async def _blocked(pool: Pool) -> None:
    """Until somebody waits for a lock."""

    async def look() -> object:
        return await pool.fetchval(WAITING)

    await until(look, pause=0.01)


async def test_one_bad_gift_of_a_batch_does_not_spoil_the_others(
    pool: Pool, owner: Pool
) -> None:
    """Whatever the database refuses that the rules did not foresee."""
    fan, bad, star = await new_user(pool, 50), await new_user(pool, 50), 0
    star = await new_user(pool)
    await owner.execute(f"ALTER TABLE gift_transactions ADD CHECK (sender_id <> {bad})")
    gifts = service(pool)
    results = await asyncio.gather(
        *(gifts.send(GiftOrder(one, ROSE, 1, star)) for one in (fan, bad, fan)),
        return_exceptions=True,
    )
    assert isinstance(results[1], Rejected)
    assert await Ledger(pool).wallets([fan, bad, star]) == {fan: 30, bad: 50, star: 20}
