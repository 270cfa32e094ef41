"""Which tokens count, and since when not any more."""

import asyncio
import time

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty, NoToken, Refusal, SignedOut
from control_plane.base.tokens import read_user, sign_user
from control_plane.people.model.users import NewUser, User
from control_plane.people.service.accounts import BANNED, DAY, Accounts, Identity
from control_plane.people.store import users
from tests.people.conftest import Join, user_events
from tests.support.locks import WAITING
from tests.support.stack import until

KEY = (b"k" * 32,)


def _older(token: str, seconds: int) -> str:
    """As it would be if it had been signed so long ago."""
    claims = read_user(KEY, token, time.time())
    changes = (claims.issued_at - seconds, claims.expires_at - seconds, claims.sign_in)
    return sign_user(KEY, type(claims)(claims.user_id, claims.version, *changes))


async def _refused(accounts: Accounts, token: str) -> str:
    with pytest.raises(SignedOut) as refused:
        await accounts.who(token)
    return refused.value.sentence


async def test_a_token_is_somebodys_until_it_is_signed_out(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    phone, tablet = accounts.token(ann), accounts.token(ann)
    assert (await accounts.who(phone)).id == ann.id

    await accounts.sign_out(ann, phone)
    await accounts.sign_out(ann, phone)

    await _refused(accounts, phone)
    assert (await accounts.who(tablet)).id == ann.id
    assert await user_events(pool, ann.id) == ["user.signed_out"] * 2


async def test_whatever_a_token_was_renewed_to_is_signed_out_with_it(
    accounts: Accounts, join: Join
) -> None:
    ann = await join("ann")
    first = _older(accounts.token(ann), DAY + 1)
    renewed = accounts.renewed(ann, first)
    assert renewed != first
    assert accounts.renewed(ann, renewed) == renewed
    assert (await accounts.who(renewed)).id == ann.id

    await accounts.sign_out(ann, renewed)

    await _refused(accounts, renewed)
    await _refused(accounts, first)


async def test_everywhere_is_every_token_of_one_user(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann, bob = await join("ann", device_token="fcm"), await join("bob")
    tokens = [accounts.token(ann) for _ in range(3)]
    await accounts.sign_out(ann, tokens[0])

    await accounts.sign_out_everywhere(ann.id)

    for token in tokens:
        await _refused(accounts, token)
    assert (await accounts.who(accounts.token(bob))).id == bob.id
    now = await users.get(pool, ann.id)
    assert now is not None
    assert now.device_token == ""  # nothing is pushed to a phone that signed out
    assert (await accounts.who(accounts.token(now))).id == ann.id
    assert await pool.fetchval("SELECT count(*) FROM ended_sign_ins") == 0
    with pytest.raises(Empty, match="There is no such user"):
        await accounts.sign_out_everywhere(999)


async def test_sign_ins_that_are_over_anyway_are_dropped(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    for _ in range(5):
        await accounts.sign_out(ann, accounts.token(ann))
    await pool.execute("UPDATE ended_sign_ins SET expires_at = now() - interval '1 s'")

    await accounts.sign_out(ann, accounts.token(ann))

    left = await pool.fetch("SELECT expires_at - now() AS in FROM ended_sign_ins")
    assert [row["in"].days for row in left] == [89]


async def test_a_token_that_was_signed_for_longer_is_refused_for_as_long(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    """As after CONTROL_PLANE_TOKEN_DAYS was lowered."""
    ann = await join("ann")
    token = accounts.token(ann)
    lowered = Accounts(pool, KEY, token_days=1, accept_provider_uid=True)
    await lowered.sign_out(ann, token)

    two_days = "UPDATE ended_sign_ins SET expires_at = expires_at - interval '2 days'"
    await pool.execute(two_days)
    await lowered.sign_out(ann, lowered.token(ann))  # drops what is over

    await _refused(lowered, token)


async def test_what_a_token_was_renewed_to_may_have_been_signed_for_as_long_as_it(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    first = _older(accounts.token(ann), 80 * DAY)
    renewed = accounts.renewed(ann, first)  # 90 days from now
    lowered = Accounts(pool, KEY, token_days=1, accept_provider_uid=True)
    await lowered.sign_out(ann, first)
    left = await pool.fetchval("SELECT expires_at FROM ended_sign_ins")
    assert left.timestamp() >= read_user(KEY, renewed, time.time()).expires_at


async def test_a_token_that_was_renewed_for_longer_is_refused_for_as_long(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    """Signed out once with the shorter one, and then with the longer."""
    ann = await join("ann")
    lowered = Accounts(pool, KEY, token_days=1, accept_provider_uid=True)
    longer = accounts.token(ann)
    shorter = lowered.token(ann, read_user(KEY, longer, time.time()).sign_in)
    for token in (shorter, longer, shorter):
        await lowered.sign_out(ann, token)
    left = await pool.fetchval("SELECT expires_at - now() FROM ended_sign_ins")
    assert left.days == 89


async def test_here_again_and_everywhere_at_the_same_moment(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    token = accounts.token(ann)
    await accounts.sign_out(ann, token)

    async def waiting(many: int) -> None:
        async def look() -> bool:
            return bool(await pool.fetchval(WAITING) >= many)

        await until(look, pause=0.01)

    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM ended_sign_ins FOR UPDATE")
        here = asyncio.create_task(accounts.sign_out(ann, token))
        await waiting(1)
        everywhere = asyncio.create_task(accounts.sign_out_everywhere(ann.id))
        await waiting(2)
    await asyncio.gather(here, everywhere)
    await _refused(accounts, token)


async def test_a_ban_is_said_and_ends_every_sign_in(
    accounts: Accounts, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    token = accounts.token(ann)
    async with pool.transaction() as connection:
        await users.ban(connection, ann.id, "spam")

    assert await _refused(accounts, token) == BANNED
    with pytest.raises(Refusal, match="have been blocked"):
        await accounts.sign_in([Identity("google", "ann", True)], NewUser())

    async with pool.transaction() as connection:
        assert await users.unban(connection, ann.id)
    assert await _refused(accounts, token) != BANNED
    again = await accounts.sign_in([Identity("google", "ann", True)], NewUser())
    assert (await accounts.who(again.token)).id == ann.id


async def test_what_is_no_token_is_nobodys(accounts: Accounts, join: Join) -> None:
    ann = await join("ann")
    for nothing in ("", "x" * 513, "a\nb"):
        with pytest.raises(NoToken):
            await accounts.who(nothing)
    expired = _older(accounts.token(ann), 91 * DAY)
    for token in ("abc", expired, accounts.token(ann)[:-1]):
        await _refused(accounts, token)
    assert accounts.is_ours(expired)


async def test_a_providers_uid_is_a_token_where_that_is_allowed(
    accounts: Accounts, pool: Pool
) -> None:
    identity = Identity("firebase", "uid-1", verified=True)
    ann: User = (await accounts.sign_in([identity], NewUser())).user
    strict = Accounts(pool, KEY, token_days=90, accept_provider_uid=False)

    assert (await accounts.who("uid-1")).id == ann.id
    assert accounts.renewed(ann, "uid-1") == "uid-1"
    with pytest.raises(Refusal, match="provider"):
        await accounts.sign_out(ann, "uid-1")
    await _refused(strict, "uid-1")
