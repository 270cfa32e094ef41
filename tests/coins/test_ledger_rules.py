"""What the database itself refuses, whoever asks."""

import asyncpg
import pytest

from control_plane.base.database import Pool
from control_plane.base.faults import Missing, Rejected
from control_plane.coins.model.ledger import Balances, Entry, bonus, payout_requested
from control_plane.coins.service.ledger import Ledger
from control_plane.coins.store import ledger
from tests.support.money import GUARDED, everything, new_user

OWNS = "SELECT tableowner = current_user FROM pg_tables WHERE tablename = $1"


async def test_balances_follow_from_entries(pool: Pool) -> None:
    one = await new_user(pool, 70)
    assert await Ledger(pool).wallet(one) == 70
    assert await ledger.balances(pool, one) == Balances(bonus=70)


async def test_a_wallet_of_nobody_is_empty(pool: Pool) -> None:
    assert await Ledger(pool).wallets([4711]) == {4711: 0}
    assert (await Ledger(pool).purse(4711)).received == 0


async def test_entries_that_do_not_sum_to_zero_are_refused(pool: Pool) -> None:
    one = await new_user(pool)
    async with pool.acquire() as connection:
        with pytest.raises(Rejected, match="sum to zero"):
            await ledger.transfer(connection, "bonus", [Entry("bonus", one, 5)])


async def test_no_account_of_a_user_goes_below_zero(pool: Pool) -> None:
    one = await new_user(pool, 5)
    async with pool.acquire() as connection, connection.transaction():
        with pytest.raises(Rejected):
            await ledger.transfer(
                connection, "payout_requested", payout_requested(one, 1)
            )


async def test_an_entry_for_nobody_is_refused(pool: Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(Missing):
            await ledger.transfer(connection, "bonus", bonus(4711, 5))


CHANGES = [
    "UPDATE ledger_entries SET amount = amount + 1",
    "UPDATE ledger_transfers SET kind = 'gift'",
    "UPDATE gift_transactions SET coins = 1",
    "UPDATE wallets SET paid = paid + 1",
    *(f"DELETE FROM {table}" for table in GUARDED),  # noqa: S608
    *(f"TRUNCATE {table} CASCADE" for table in GUARDED),
]


async def test_what_is_written_stays_as_it_is(owner: Pool) -> None:
    """For the tables' owner too."""
    await new_user(owner, 5)
    before = await everything(owner)
    for change in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(change)
    assert await everything(owner) == before


async def test_the_service_cannot_take_that_protection_away(pool: Pool) -> None:
    await new_user(pool, 5)
    if await pool.fetchval(OWNS, "ledger_entries"):
        pytest.skip("DATABASE_URL names one role for everything")
    before = await everything(pool)
    for change in [
        *CHANGES,
        *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in GUARDED),
        *(f"DROP TABLE {table} CASCADE" for table in GUARDED),
        "UPDATE events SET type = 'other'",
        "DELETE FROM events",
        "TRUNCATE events",
        "DELETE FROM schema_migrations",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "CREATE TABLE made_up ()",
    ]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(change)
    assert await everything(pool) == before
