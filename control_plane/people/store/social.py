"""Follows and blocks."""

from dataclasses import fields

from control_plane.base.database import Connection, Executor
from control_plane.people.model.social import Block, Follow

_FOLLOW = ", ".join(field.name for field in fields(Follow))
_BLOCK = ", ".join(field.name for field in fields(Block))


async def lock_pair(connection: Connection, one: int, other: int) -> None:
    """Both toggles of two people, one after the other until the commit."""
    low, high = sorted((one, other))
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", low, high)


async def follow(connection: Connection, follower: int, followed: int) -> bool:
    """False when it was so already."""
    return bool(
        await connection.fetchval(
            """
            WITH made AS (
                INSERT INTO follows (follower_id, followed_id) VALUES ($1, $2)
                ON CONFLICT DO NOTHING RETURNING 1
            ), counted AS (
                INSERT INTO user_counts AS c (user_id, following, followers)
                SELECT user_id, following, followers
                FROM (VALUES ($1, 1, 0), ($2, 0, 1))
                    AS counts (user_id, following, followers), made
                ORDER BY user_id
                ON CONFLICT (user_id) DO UPDATE SET
                    following = c.following + excluded.following,
                    followers = c.followers + excluded.followers
            )
            SELECT count(*) FROM made
            """,
            follower,
            followed,
        )
    )


async def unfollow(connection: Connection, follower: int, followed: int) -> bool:
    """False when it was so already."""
    gone = await connection.fetchval(
        "DELETE FROM follows WHERE follower_id = $1 AND followed_id = $2 RETURNING 1",
        follower,
        followed,
    )
    if gone:
        # Always the lower id first: two people who leave each other do not wait
        # for each other.
        for user_id in sorted((follower, followed)):
            await connection.execute(
                "UPDATE user_counts SET following = following - ($1 = $2)::integer,"
                " followers = followers - ($1 = $3)::integer WHERE user_id = $1",
                user_id,
                follower,
                followed,
            )
    return bool(gone)


async def followers(
    executor: Executor, user_id: int, viewer_id: int, limit: int, offset: int
) -> list[Follow]:
    """Newest first, without those whom the viewer should not see."""
    rows = await executor.fetch(
        f"""
        SELECT {_FOLLOW} FROM follows f WHERE f.followed_id = $1
            AND EXISTS (SELECT FROM users u WHERE u.id = f.follower_id
                AND u.deleted_at IS NULL AND u.banned_at IS NULL)
            AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = f.follower_id
                AND b.block_user_id = $2)
        ORDER BY f.id DESC LIMIT $3 OFFSET $4
        """,  # noqa: S608
        user_id,
        viewer_id,
        limit,
        offset,
    )
    return [Follow(**dict(row)) for row in rows]


async def following(
    executor: Executor, user_id: int, viewer_id: int, limit: int, offset: int
) -> list[Follow]:
    """Newest first, without those whom the viewer should not see."""
    rows = await executor.fetch(
        f"""
        SELECT {_FOLLOW} FROM follows f WHERE f.follower_id = $1
            AND EXISTS (SELECT FROM users u WHERE u.id = f.followed_id
                AND u.deleted_at IS NULL AND u.banned_at IS NULL)
            AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = f.followed_id
                AND b.block_user_id = $2)
        ORDER BY f.id DESC LIMIT $3 OFFSET $4
        """,  # noqa: S608
        user_id,
        viewer_id,
        limit,
        offset,
    )
    return [Follow(**dict(row)) for row in rows]


async def block(connection: Connection, user_id: int, blocked: int) -> Block | None:
    """None when it was so already."""
    row = await connection.fetchrow(
        "INSERT INTO blocks (user_id, block_user_id) VALUES ($1, $2)"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {_BLOCK}",
        user_id,
        blocked,
    )
    return None if row is None else Block(**dict(row))


async def unblock(connection: Connection, user_id: int, blocked: int) -> None:
    await connection.execute(
        "DELETE FROM blocks WHERE user_id = $1 AND block_user_id = $2",
        user_id,
        blocked,
    )


async def blocks(
    executor: Executor, user_id: int, limit: int, offset: int
) -> list[Block]:
    """Newest first."""
    rows = await executor.fetch(
        f"SELECT {_BLOCK} FROM blocks WHERE user_id = $1"  # noqa: S608
        " ORDER BY id DESC LIMIT $2 OFFSET $3",
        user_id,
        limit,
        offset,
    )
    return [Block(**dict(row)) for row in rows]


async def forget(connection: Connection, user_id: int) -> None:
    """Everything between this user and others, in both directions."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM follows WHERE follower_id = $1 OR followed_id = $1
            RETURNING follower_id, followed_id
        ), changes AS (
            SELECT follower_id AS user_id, 1 AS following, 0 AS followers FROM gone
            UNION ALL SELECT followed_id, 0, 1 FROM gone
        ), sums AS (
            SELECT user_id, sum(following) AS following, sum(followers) AS followers
            FROM changes GROUP BY user_id
        ), locked AS (
            SELECT c.user_id FROM user_counts c JOIN sums USING (user_id)
            ORDER BY c.user_id FOR UPDATE OF c
        )
        UPDATE user_counts c SET following = c.following - s.following,
            followers = c.followers - s.followers
        FROM sums s JOIN locked USING (user_id) WHERE c.user_id = s.user_id
        """,
        user_id,
    )
    await connection.execute(
        "DELETE FROM blocks WHERE user_id = $1 OR block_user_id = $1", user_id
    )
