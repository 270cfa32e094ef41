"""The ledger's rows. Balances follow from entries inside Postgres.

Locks are always taken in this order: live sessions, wallets, users; several of a kind
by ascending id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from control_plane.base.database import Connection, Executor, Record
from control_plane.coins.model.ledger import Balances, Entry, Purse, TransferKind

_ACCOUNTS = [field.name for field in fields(Balances)]
_SELECT = f"SELECT user_id, {', '.join(_ACCOUNTS)} FROM wallets"  # noqa: S608


def _balances(row: Record) -> Balances:
    return Balances(**{name: row[name] for name in _ACCOUNTS})


async def wallets(executor: Executor, user_ids: Sequence[int]) -> dict[int, int]:
    rows = await executor.fetch(f"{_SELECT} WHERE user_id = ANY($1)", list(user_ids))
    return {row["user_id"]: _balances(row).wallet for row in rows}


async def purses(executor: Executor, user_ids: Sequence[int]) -> dict[int, Purse]:
    rows = await executor.fetch(
        f"SELECT user_id, {', '.join(_ACCOUNTS)}, received FROM wallets"  # noqa: S608
        " WHERE user_id = ANY($1)",
        list(user_ids),
    )
    return {
        row["user_id"]: Purse(_balances(row).wallet, row["received"]) for row in rows
    }


async def balances(executor: Executor, user_id: int) -> Balances:
    row = await executor.fetchrow(f"{_SELECT} WHERE user_id = $1", user_id)
    return Balances() if row is None else _balances(row)


async def lock(
    connection: Connection, user_ids: Iterable[int]
) -> Mapping[int, Balances]:
    """Until the transaction ends nobody else moves these users' coins."""
    rows = await connection.fetch(
        f"{_SELECT} WHERE user_id = ANY($1) ORDER BY user_id FOR NO KEY UPDATE",
        list(user_ids),
    )
    return {row["user_id"]: _balances(row) for row in rows}


async def transfer(
    connection: Connection, kind: TransferKind, entries: Sequence[Entry]
) -> int:
    """The transfer's id. Raises Rejected when an account would go below zero or
    the entries do not sum to zero."""
    transfer_id = int(
        await connection.fetchval(
            "INSERT INTO ledger_transfers (kind) VALUES ($1) RETURNING id", kind
        )
    )
    await connection.execute(
        "INSERT INTO ledger_entries (transfer_id, account, user_id, amount)"
        " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[])",
        transfer_id,
        [entry.account for entry in entries],
        [entry.user_id for entry in entries],
        [entry.amount for entry in entries],
    )
    return transfer_id


async def entries(executor: Executor, transfer_id: int, user_id: int) -> list[Entry]:
    """Of a transfer between this user and nobody else's accounts."""
    rows = await executor.fetch(
        # By the index, which begins with the user.
        "SELECT account, user_id, amount FROM ledger_entries"
        " WHERE transfer_id = $1 AND (user_id = $2 OR user_id IS NULL)",
        transfer_id,
        user_id,
    )
    return [Entry(**dict(row)) for row in rows]
