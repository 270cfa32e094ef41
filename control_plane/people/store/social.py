"""Follows and blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import LiteralString

from control_plane.base.database import Connection, Executor
from control_plane.people.model.social import Block, Follow
from control_plane.people.model.users import Counts
from control_plane.people.store import counts, relations

_FOLLOW = ", ".join(field.name for field in fields(Follow))
_BLOCK = ", ".join(field.name for field in fields(Block))


async def lock_pair(connection: Connection, one: int, other: int) -> None:
    """Both toggles of two people, one after the other until the commit."""
    low, high = sorted((one, other))
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", low, high)


async def follow(connection: Connection, follower: int, followed: int) -> bool:
    """False when it was so already."""
    made = await connection.fetchval(
        "INSERT INTO follows (follower_id, followed_id) VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING RETURNING id",
        follower,
        followed,
    )
    if made is None:
        return False
    await _count(connection, follower, followed, 1)
    return True


async def unfollow(connection: Connection, follower: int, followed: int) -> bool:
    """False when it was so already."""
    gone = await connection.fetchval(
        "DELETE FROM follows WHERE follower_id = $1 AND followed_id = $2 RETURNING id",
        follower,
        followed,
    )
    if gone is None:
        return False
    await _count(connection, follower, followed, -1)
    return True


async def _count(connection: Connection, follower: int, followed: int, by: int) -> None:
    await counts.change(
        connection, {follower: Counts(following=by), followed: Counts(followers=by)}
    )


async def followers(
    executor: Executor, user_id: int, viewer_id: int, limit: int, offset: int
) -> list[Follow]:
    """Newest first, without those whom the viewer should not see."""
    return await _listed(
        executor, "followed_id", "follower_id", user_id, viewer_id, limit, offset
    )


async def following(
    executor: Executor, user_id: int, viewer_id: int, limit: int, offset: int
) -> list[Follow]:
    """Newest first, without those whom the viewer should not see."""
    return await _listed(
        executor, "follower_id", "followed_id", user_id, viewer_id, limit, offset
    )


async def _listed(
    executor: Executor,
    mine: LiteralString,
    theirs: LiteralString,
    user_id: int,
    viewer_id: int,
    limit: int,
    offset: int,
) -> list[Follow]:
    rows = await executor.fetch(
        f"""
        SELECT {_FOLLOW} FROM follows f WHERE f.{mine} = $1
            AND EXISTS (SELECT FROM users u WHERE u.id = f.{theirs}
                AND {relations.present("u")})
            AND NOT {relations.blocks(f"f.{theirs}", "$2")}
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


async def is_apart(executor: Executor, user_id: int) -> bool:
    """From anybody, whoever made the block."""
    found = await executor.fetchval(
        "SELECT EXISTS (SELECT FROM blocks WHERE user_id = $1)"
        " OR EXISTS (SELECT FROM blocks WHERE block_user_id = $1)",
        user_id,
    )
    return found is True


async def blocks_among(
    executor: Executor, user_ids: Iterable[int]
) -> set[tuple[int, int]]:
    """Who blocks whom of them."""
    rows = await executor.fetch(
        "SELECT user_id, block_user_id FROM blocks"
        " WHERE user_id = ANY($1) AND block_user_id = ANY($1)",
        list(user_ids),
    )
    return {(row["user_id"], row["block_user_id"]) for row in rows}


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


def _unfollowed(which: str, first: int) -> str:
    """A query that ends follows, in the order of their ids, and counts that together
    with other changes, whose parameters begin at ``first``."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in counts.NAMES)
    return f"""
        WITH ended AS (
            SELECT id FROM follows WHERE {which} ORDER BY id FOR UPDATE
        ), gone AS (
            DELETE FROM follows WHERE id IN (SELECT id FROM ended)
            RETURNING follower_id, followed_id
        ), sides AS (
            SELECT follower_id AS user_id, 0 AS followers, -1 AS following, 0 AS likes,
                0 AS videos FROM gone
            UNION ALL SELECT followed_id, -1, 0, 0, 0 FROM gone
            UNION ALL {counts.given(first)}
        ), changes AS (SELECT user_id, {sums} FROM sides GROUP BY user_id),
        {counts.APPLY}
    """  # noqa: S608


async def part(connection: Connection, one: int, other: int) -> None:
    """Neither follows the other any more."""
    await connection.execute(
        _unfollowed(
            "(follower_id, followed_id) IN (($1, $2), ($2::integer, $1::integer))", 3
        ),
        one,
        other,
        *counts.arrays([]),
    )


def _newest(side: str) -> str:
    return f"SELECT id FROM follows WHERE {side}_id = $1 ORDER BY id DESC LIMIT $2"  # noqa: S608


async def has_more_follows(executor: Executor, user_id: int, most: int) -> bool:
    """In one direction or the other."""
    found = await executor.fetchval(
        "SELECT EXISTS (SELECT FROM follows WHERE followed_id = $1 OFFSET $2)"
        " OR EXISTS (SELECT FROM follows WHERE follower_id = $1 OFFSET $2)",
        user_id,
        most,
    )
    return found is True


async def end_follows(connection: Connection, user_id: int, most: int) -> None:
    """So many in each direction, the newest."""
    which = f"id IN (({_newest('followed')}) UNION ({_newest('follower')}))"
    await connection.execute(
        _unfollowed(which, 3),
        user_id,
        most,
        *counts.arrays([]),
    )


async def forget(
    connection: Connection, user_id: int, changes: Sequence[tuple[int, Counts]]
) -> None:
    """Everything between this user and others, in both directions. ``changes``: of
    anybody's numbers, which are all locked together."""
    await connection.execute(
        """
        WITH ended AS (
            SELECT id FROM blocks WHERE user_id = $1 OR block_user_id = $1
            ORDER BY id FOR UPDATE
        )
        DELETE FROM blocks WHERE id IN (SELECT id FROM ended)
        """,
        user_id,
    )
    await connection.execute(
        _unfollowed("follower_id = $1 OR followed_id = $1", 2),
        user_id,
        *counts.arrays(changes),
    )
