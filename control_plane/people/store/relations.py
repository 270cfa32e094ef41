"""Conditions about people, for the queries of whoever shows them or what they made.

The arguments are SQL: ``$1``, or a column like ``v.user_id``.
"""


def present(user: str) -> str:
    """``user``: the alias of a row of users. Neither deleted nor banned."""
    return f"{user}.deleted_at IS NULL AND {user}.banned_at IS NULL"


def follows(follower: str, followed: str) -> str:
    return (
        "EXISTS (SELECT FROM follows one"
        f" WHERE one.follower_id = {follower} AND one.followed_id = {followed})"
    )


def blocks(blocker: str, blocked: str) -> str:
    return (
        "EXISTS (SELECT FROM blocks one"
        f" WHERE one.user_id = {blocker} AND one.block_user_id = {blocked})"
    )


def apart(one: str, other: str) -> str:
    """A block stands between them, whoever made it."""
    return f"({blocks(one, other)} OR {blocks(other, one)})"
