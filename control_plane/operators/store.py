"""The table of operators' tokens."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

from control_plane.base.database import Executor, Record
from control_plane.operators.model import OperatorToken

_COLUMNS = ", ".join(field.name for field in fields(OperatorToken))
_SELECT = f"SELECT {_COLUMNS} FROM operator_tokens"  # noqa: S608
_OF_TOKEN = ", ".join(f"t.{field.name}" for field in fields(OperatorToken))


async def create(
    executor: Executor,
    name: str,
    token_hash: bytes,
    scopes: Sequence[str],
    valid_for: timedelta,
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


async def find(executor: Executor, token_hash: bytes) -> OperatorToken | None:
    """None: it does not count, or not any more. It only reads, so that a database that
    takes no writes can still be looked at."""
    row = await executor.fetchrow(
        f"{_SELECT} WHERE hash = $1 AND revoked_at IS NULL AND expires_at > now()",
        token_hash,
    )
    return None if row is None else _token(row)


async def note_use(executor: Executor, token_id: int) -> None:
    await executor.execute(
        "UPDATE operator_tokens SET last_used_at = now() WHERE id = $1", token_id
    )


async def begin_session(
    executor: Executor, session_hash: bytes, token_id: int, idle: timedelta
) -> None:
    """Those that idled too long are forgotten."""
    await executor.execute(
        "DELETE FROM operator_sessions WHERE used_at < now() - $1::interval", idle
    )
    await executor.execute(
        "INSERT INTO operator_sessions (hash, token_id) VALUES ($1, $2)",
        session_hash,
        token_id,
    )


async def session(
    executor: Executor, session_hash: bytes, idle: timedelta
) -> OperatorToken | None:
    """Whose it is. None: it idled too long, or its token does not count any more. It
    only reads, as ``find`` does."""
    row = await executor.fetchrow(
        f"""
        SELECT {_OF_TOKEN} FROM operator_sessions s
        JOIN operator_tokens t ON t.id = s.token_id
        WHERE s.hash = $1 AND s.used_at > now() - $2::interval
            AND t.revoked_at IS NULL AND t.expires_at > now()
        """,  # noqa: S608
        session_hash,
        idle,
    )
    return None if row is None else _token(row)


async def use_session(executor: Executor, session_hash: bytes) -> None:
    await executor.execute(
        "UPDATE operator_sessions SET used_at = now() WHERE hash = $1", session_hash
    )


async def end_session(executor: Executor, session_hash: bytes) -> None:
    await executor.execute(
        "DELETE FROM operator_sessions WHERE hash = $1", session_hash
    )


def _token(row: Record) -> OperatorToken:
    return OperatorToken(**{**dict(row), "scopes": tuple(row["scopes"])})


async def begin_request(
    executor: Executor,
    token_id: int,
    key: str,
    fingerprint: bytes,
    kept: timedelta,
    under_way: timedelta,
) -> bool:
    """False: it is known. What is older than ``kept`` is forgotten, and what was not
    answered within ``under_way`` begins again."""
    await executor.execute(
        "DELETE FROM operator_requests WHERE created_at < now() - $1::interval", kept
    )
    return (
        await executor.fetchval(
            """
            INSERT INTO operator_requests AS r (token_id, key, fingerprint)
            VALUES ($1, $2, $3) ON CONFLICT (token_id, key)
                DO UPDATE SET created_at = now()
                WHERE r.answer IS NULL AND r.fingerprint = $3
                    AND r.created_at < now() - $4::interval
            RETURNING true
            """,
            token_id,
            key,
            fingerprint,
            under_way,
        )
        is True
    )


async def request(
    executor: Executor, token_id: int, key: str
) -> tuple[bytes, bytes | None] | None:
    """Its fingerprint and its answer."""
    row = await executor.fetchrow(
        "SELECT fingerprint, answer FROM operator_requests"
        " WHERE token_id = $1 AND key = $2",
        token_id,
        key,
    )
    return None if row is None else (row["fingerprint"], row["answer"])


async def keep_answer(
    executor: Executor, token_id: int, key: str, answer: bytes
) -> None:
    await executor.execute(
        "UPDATE operator_requests SET answer = $3 WHERE token_id = $1 AND key = $2",
        token_id,
        key,
        answer,
    )


async def forget_request(executor: Executor, token_id: int, key: str) -> None:
    await executor.execute(
        "DELETE FROM operator_requests WHERE token_id = $1 AND key = $2"
        " AND answer IS NULL",
        token_id,
        key,
    )
