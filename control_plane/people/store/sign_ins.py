"""Sign-ins that were ended before their tokens expire."""

from control_plane.base.database import Connection


def ended(sign_in: str) -> str:
    """A condition. ``sign_in`` is SQL, as in ``relations``."""
    return f"EXISTS (SELECT FROM ended_sign_ins e WHERE e.sign_in = {sign_in})"


async def end(
    connection: Connection, sign_in: str, user_id: int, remember_seconds: int
) -> None:
    """Ended again: the longer one counts."""
    await connection.execute(
        """
        INSERT INTO ended_sign_ins AS known (sign_in, user_id, expires_at)
        VALUES ($1, $2, now() + make_interval(secs => $3))
        ON CONFLICT (sign_in) DO UPDATE
            SET expires_at = greatest(known.expires_at, excluded.expires_at)
        """,
        sign_in,
        user_id,
        float(remember_seconds),
    )


async def drop_expired(connection: Connection, most: int) -> None:
    """Their tokens are refused without them."""
    await connection.execute(
        """
        DELETE FROM ended_sign_ins WHERE sign_in IN (
            SELECT sign_in FROM ended_sign_ins WHERE expires_at < now()
            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        """,
        most,
    )


async def forget(connection: Connection, user_id: int) -> None:
    """Once a higher token version refuses them all."""
    await connection.execute("DELETE FROM ended_sign_ins WHERE user_id = $1", user_id)
