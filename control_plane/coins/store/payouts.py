"""Where money goes, and requests for it."""

from dataclasses import fields

from control_plane.base.database import Connection, Executor, Record
from control_plane.coins.model.money import Money
from control_plane.coins.model.payouts import (
    Decision,
    PayoutMethod,
    RequestState,
    WithdrawRequest,
)

_OWN = [field.name for field in fields(WithdrawRequest) if field.name != "owed"]
_SELECT = (
    f"SELECT {', '.join(_OWN)}, -owed AS owed"  # noqa: S608
    " FROM withdraw_requests JOIN wallets USING (user_id)"
)


def _request(row: Record | None) -> WithdrawRequest | None:
    return None if row is None else WithdrawRequest(**dict(row))


async def choose_method(
    connection: Connection, user_id: int, kind: str, value: str
) -> None:
    """Each kind once; the one named last is used."""
    await connection.execute(
        "INSERT INTO payout_methods (user_id, type, value) VALUES ($1, $2, $3)"
        " ON CONFLICT (user_id, type)"
        " DO UPDATE SET value = excluded.value, chosen_at = clock_timestamp()",
        user_id,
        kind,
        value,
    )


async def primary_method(executor: Executor, user_id: int) -> PayoutMethod | None:
    row = await executor.fetchrow(
        "SELECT id, user_id, type, value, created_at"
        " FROM payout_methods WHERE user_id = $1"
        " ORDER BY chosen_at DESC, id DESC LIMIT 1",
        user_id,
    )
    return None if row is None else PayoutMethod(**dict(row), primary=True)


async def forget_methods(connection: Connection, user_id: int) -> None:
    """Requests keep where they go: somebody has to pay them, or has."""
    await connection.execute("DELETE FROM payout_methods WHERE user_id = $1", user_id)


async def has_pending(connection: Connection, user_id: int) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM withdraw_requests"
            " WHERE user_id = $1 AND status = 'pending')",
            user_id,
        )
    )


async def create(
    connection: Connection,
    user_id: int,
    coins: int,
    amount: Money,
    method: str,
    destination: str,
    transfer_id: int,
) -> int:
    return int(
        await connection.fetchval(
            """
            INSERT INTO withdraw_requests (user_id, coins, amount_minor, currency,
                method, destination, hold_transfer_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
            """,
            user_id,
            coins,
            amount.minor,
            amount.currency,
            method,
            destination,
            transfer_id,
        )
    )


async def get(executor: Executor, request_id: int) -> WithdrawRequest | None:
    return _request(await executor.fetchrow(f"{_SELECT} WHERE id = $1", request_id))


async def of_user(
    executor: Executor, user_id: int, limit: int, offset: int
) -> list[WithdrawRequest]:
    """Newest first."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE user_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3",
        user_id,
        limit,
        offset,
    )
    return [WithdrawRequest(**dict(row)) for row in rows]


async def pending(executor: Executor, after: int, limit: int) -> list[WithdrawRequest]:
    """Those above an id, the oldest first."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE status = 'pending' AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [WithdrawRequest(**dict(row)) for row in rows]


async def listing(
    executor: Executor, state: RequestState, before: int, limit: int
) -> list[WithdrawRequest]:
    """Those below an id, the newest first."""
    rows = await executor.fetch(
        f"{_SELECT} WHERE id < $1 AND $2 IN ('all', status) ORDER BY id DESC LIMIT $3",
        before,
        state,
        limit,
    )
    return [WithdrawRequest(**dict(row)) for row in rows]


async def approve(connection: Connection, request_id: int, who: str) -> None:
    """Of a request that is pending, under the lock of its user's wallet."""
    await connection.execute(
        "UPDATE withdraw_requests SET approved_by = $2, updated_at = now()"
        " WHERE id = $1 AND status = 'pending'",
        request_id,
        who,
    )


async def decide(
    connection: Connection,
    request_id: int,
    decision: Decision,
    note: str,
    transfer_id: int,
) -> None:
    """Of a request that is pending, under the lock of its user's wallet."""
    await connection.execute(
        "UPDATE withdraw_requests SET status = $2, note = $3,"
        " decision_transfer_id = $4, updated_at = now()"
        " WHERE id = $1 AND status = 'pending'",
        request_id,
        decision,
        note,
        transfer_id,
    )
