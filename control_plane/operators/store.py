"""The table of operators' tokens."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

from control_plane.base.database import Executor, Record
from control_plane.operators.model import OperatorToken

_COLUMNS = ", ".join(field.name for field in fields(OperatorToken))
_SELECT = f"SELECT {_COLUMNS} FROM operator_tokens"  # noqa: S608


async def create(
    executor: Executor,
    name: str,
    token_hash: bytes,
    scopes: Sequence[str],
    valid_for: timedelta | None,
) -> None:
    """Raises Taken when a token that counts has this name."""
    await executor.execute(
        "INSERT INTO operator_tokens (name, hash, scopes, expires_at)"
        " VALUES ($1, $2, $3, now() + $4)",
        name,
        token_hash,
        list(scopes),
        valid_for,
    )


async def listing(executor: Executor) -> list[OperatorToken]:
    rows = await executor.fetch(f"{_SELECT} ORDER BY id")
    return [_token(row) for row in rows]


async def revoke(executor: Executor, name: str) -> bool:
    return (
        await executor.fetchval(
            "UPDATE operator_tokens SET revoked_at = now()"
            " WHERE name = $1 AND revoked_at IS NULL RETURNING true",
            name,
        )
        is True
    )


async def scopes_of(executor: Executor, token_hash: bytes) -> Sequence[str] | None:
    """None: it does not count, or not any more. The time of use is a minute late."""
    scopes: Sequence[str] | None = await executor.fetchval(
        """
        WITH used AS (
            UPDATE operator_tokens SET last_used_at = now() WHERE hash = $1
                AND coalesce(last_used_at + interval '1 minute' < now(), true)
        )
        SELECT scopes FROM operator_tokens WHERE hash = $1 AND revoked_at IS NULL
            AND coalesce(expires_at > now(), true)
        """,
        token_hash,
    )
    return scopes


def _token(row: Record) -> OperatorToken:
    return OperatorToken(**{**dict(row), "scopes": tuple(row["scopes"])})
