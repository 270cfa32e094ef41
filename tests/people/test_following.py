"""Who follows and blocks whom, and the numbers that say so."""

import asyncio
from dataclasses import asdict
from typing import Any

import pytest

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import Refusal
from control_plane.events.log import append_user_event
from control_plane.live.store import sessions
from control_plane.people.model.users import Counts, Profile
from control_plane.people.service import deletion
from control_plane.people.service.deletion import Deletion
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.social import Social
from control_plane.people.store import counts
from tests.people.conftest import Join, user_events
from tests.support.locks import WAITING
from tests.support.money import new_session
from tests.support.stack import until

SAID = {"everywhere": False}


def _numbers(of: Profile) -> tuple[int, int]:
    return of.followers, of.following


async def test_following_is_a_toggle_that_counts_on_both_sides(
    social: Social, profiles: Profiles, join: Join
) -> None:
    ann, bob = await join("ann"), await join("bob")

    seen = await social.toggle_follow(ann.id, bob.id)

    assert (seen.followed_by_me, seen.follower_of_me) == (True, False)
    assert _numbers(seen) == (1, 0)
    assert _numbers(await profiles.seen(0, ann.id)) == (0, 1)
    assert (await social.toggle_follow(bob.id, ann.id)).follower_of_me
    again = await social.toggle_follow(ann.id, bob.id)
    assert (again.followed_by_me, _numbers(again)) == (False, (0, 1))


async def test_many_who_follow_one_another_at_once_are_all_counted(
    social: Social, profiles: Profiles, join: Join
) -> None:
    people = [await join(f"user{i}") for i in range(6)]
    pairs = [(a.id, b.id) for a in people for b in people if a.id != b.id]

    await asyncio.gather(*(social.toggle_follow(*pair) for pair in pairs))

    for one in people:
        assert _numbers(await profiles.seen(0, one.id)) == (5, 5)


async def test_nobody_new_follows_a_private_account(
    social: Social, join: Join, pool: Pool
) -> None:
    star, fan, late = [await join(name) for name in ("star", "fan", "late")]
    await social.toggle_follow(fan.id, star.id)
    await pool.execute("UPDATE users SET private = true WHERE id = $1", star.id)

    with pytest.raises(Refusal, match="This account is private"):
        await social.toggle_follow(late.id, star.id)

    left = await social.toggle_follow(fan.id, star.id)
    assert (left.followed_by_me, left.followers) == (False, 0)
    with pytest.raises(Refusal):
        await social.toggle_follow(fan.id, star.id)


async def test_whom_nobody_can_follow(social: Social, join: Join, pool: Pool) -> None:
    ann, bob = await join("ann"), await join("bob")
    for nobody in (ann.id, 999):
        with pytest.raises(Refusal):
            await social.toggle_follow(ann.id, nobody)
    for column in ("banned_at", "deleted_at"):
        await pool.execute(f"UPDATE users SET {column} = now() WHERE id = $1", bob.id)  # noqa: S608
        with pytest.raises(Refusal, match="user not available"):
            await social.toggle_follow(ann.id, bob.id)
        await pool.execute(f"UPDATE users SET {column} = NULL WHERE id = $1", bob.id)  # noqa: S608


async def test_lists_come_in_pages_and_leave_out_whom_one_should_not_see(
    social: Social, join: Join, pool: Pool
) -> None:
    star = await join("star")
    fans = [await join(f"fan{i}") for i in range(14)]
    for fan in fans:
        await social.toggle_follow(fan.id, star.id)
    await pool.execute("UPDATE users SET banned_at = now() WHERE id = $1", fans[13].id)
    await social.toggle_block(fans[12].id, star.id)
    viewer = fans[0].id
    await social.toggle_block(fans[11].id, viewer)

    async def names(page: int) -> list[str]:
        found = await social.followers(viewer, star.id, page)
        return [one.profile.user.username for one in found]

    assert await names(0) == [f"fan{i}" for i in range(10, 0, -1)]
    assert await names(1) == ["fan0"]
    assert await names(2) == []
    mine = await social.following(viewer, viewer, 0)
    assert [one.profile.user.username for one in mine] == ["star"]


async def test_a_block_ends_following_both_ways_and_keeps_out(
    social: Social, profiles: Profiles, join: Join
) -> None:
    ann, bob = await join("ann"), await join("bob")
    await social.toggle_follow(ann.id, bob.id)
    await social.toggle_follow(bob.id, ann.id)

    blocked = await social.toggle_block(ann.id, bob.id)

    assert blocked is not None
    assert blocked.profile.blocked_by_me
    for one in (ann, bob):
        assert _numbers(await profiles.seen(0, one.id)) == (0, 0)
    for pair in ((ann.id, bob.id), (bob.id, ann.id)):
        with pytest.raises(Refusal, match="You cannot follow this user"):
            await social.toggle_follow(*pair)
    listed = await social.blocked(ann.id, 0)
    assert [one.profile.user.id for one in listed] == [bob.id]
    assert await social.blocked(bob.id, 0) == []
    assert await social.toggle_block(ann.id, bob.id) is None
    assert (await social.toggle_follow(bob.id, ann.id)).followed_by_me


async def test_a_complaint_is_told_once_whatever_its_words(
    social: Social, join: Join, pool: Pool
) -> None:
    ann, bob = await join("ann"), await join("bob")

    first = await social.report(ann.id, bob.id, 1, "look")
    for _ in range(3):
        again = await social.report(ann.id, bob.id, 1, "look again")
        assert again.report.id == first.report.id
        assert again.report.description == "look again"
    other = await social.report(ann.id, bob.id, 2, "")

    assert other.report.id != first.report.id
    assert await user_events(pool, bob.id) == ["user.reported"] * 2


async def test_complaints_at_once_are_one(
    social: Social, join: Join, pool: Pool
) -> None:
    ann, bob = await join("ann"), await join("bob")

    await asyncio.gather(*(social.report(ann.id, bob.id, 1, "") for _ in range(8)))

    assert await user_events(pool, bob.id) == ["user.reported"]


async def test_complaints_that_cannot_be(social: Social, join: Join) -> None:
    ann, bob = await join("ann"), await join("bob")
    for about, reason, said in (
        (ann.id, 1, "yourself"),
        (999, 1, "user not available"),
        (bob.id, 999, "no such reason"),
    ):
        with pytest.raises(Refusal, match=said):
            await social.report(ann.id, about, reason, "")


async def test_a_deleted_account_is_taken_out_of_everybodys_numbers(
    social: Social, profiles: Profiles, join: Join, pool: Pool
) -> None:
    ann, bob, eve = [await join(name) for name in ("ann", "bob", "eve")]
    for pair in ((ann, bob), (bob, ann), (eve, ann), (eve, bob)):
        await social.toggle_follow(pair[0].id, pair[1].id)
    left: list[int] = []

    async def leave(user_id: int) -> None:
        left.append(user_id)

    going = Deletion(pool, [], leave)
    await going.delete(ann.id)

    assert left == [ann.id]
    assert _numbers(await profiles.seen(0, bob.id)) == (1, 0)
    assert _numbers(await profiles.seen(0, eve.id)) == (0, 1)
    assert await user_events(pool, ann.id) == ["user.deleted"]
    with pytest.raises(Refusal, match="Do not exist"):
        await going.delete(ann.id)


async def test_a_star_goes_though_its_follows_are_too_many_for_one_statement(
    social: Social,
    profiles: Profiles,
    join: Join,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deletion, "AT_ONCE", 2)
    star, *fans = [await join(f"user{i}") for i in range(6)]
    for fan in fans:
        await social.toggle_follow(fan.id, star.id)
        await social.toggle_follow(star.id, fan.id)
    left: list[int] = []

    async def look(connection: Connection, _user_id: int) -> None:
        left.append(await connection.fetchval("SELECT count(*) FROM follows"))

    await Deletion(pool, [look], _leave).delete(star.id)

    assert left == [2]
    assert {_numbers(await profiles.seen(0, fan.id)) for fan in fans} == {(0, 0)}
    assert await pool.fetchval("SELECT count(*) FROM follows") == 0


async def _leave(user_id: int) -> None:
    """Nothing of it is outside here."""


async def _waiting(pool: Pool, many: int) -> None:
    """Until so many wait for a lock."""

    async def look() -> bool:
        return bool(await pool.fetchval(WAITING) >= many)

    await until(look, pause=0.01)


async def test_who_is_blocked_may_go_at_the_same_moment(
    social: Social, profiles: Profiles, join: Join, pool: Pool
) -> None:
    """Both want the two rows that say who follows whom."""
    ann, bob = await join("ann"), await join("bob")
    await social.toggle_follow(ann.id, bob.id)
    await social.toggle_follow(bob.id, ann.id)
    async with pool.transaction() as connection:
        await connection.execute("SELECT FROM user_counts FOR UPDATE")
        blocking = asyncio.create_task(social.toggle_block(bob.id, ann.id))
        await _waiting(pool, 1)
        going = asyncio.create_task(Deletion(pool, [], _leave).delete(ann.id))
        await _waiting(pool, 2)
    await asyncio.gather(blocking, going)
    assert _numbers(await profiles.seen(0, bob.id)) == (0, 0)
    assert await pool.fetchval("SELECT count(*) FROM follows") == 0


async def test_two_who_follow_and_block_one_another_may_go_together(
    social: Social, join: Join, pool: Pool
) -> None:
    people = [await join(f"user{i}") for i in range(6)]
    pairs = [(a.id, b.id) for a in people for b in people if a.id != b.id]
    for pair in pairs:
        await social.toggle_follow(*pair)
    going = Deletion(pool, [], _leave)
    await asyncio.gather(*(going.delete(one.id) for one in people))
    assert await pool.fetchval("SELECT count(*) FROM follows") == 0
    rows = await pool.fetch("SELECT followers, following FROM user_counts")
    assert [tuple(row) for row in rows] == [(0, 0)] * 6


async def test_a_session_is_locked_before_its_host_who_goes(
    join: Join, pool: Pool
) -> None:
    """As all do who write an event of the user for what happens in a session."""
    ann = await join("ann")
    session_id = await new_session(pool, ann.id)
    async with pool.transaction() as connection:
        await sessions.lock(connection, [session_id])
        going = asyncio.create_task(
            Deletion(pool, [sessions.forget], _leave).delete(ann.id)
        )
        await _waiting(pool, 1)
        await append_user_event(connection, ann.id, "user.signed_out", SAID)
    await going
    assert await user_events(pool, ann.id) == ["user.signed_out", "user.deleted"]


async def test_each_number_is_changed_by_its_own_name(pool: Pool, join: Join) -> None:
    ann, bob = await join("ann"), await join("bob")
    changes = {bob.id: Counts(1, 2, 3, 4), ann.id: Counts(likes=5)}
    for _ in range(2):
        async with pool.transaction() as connection:
            await counts.change(connection, changes)

    rows = await pool.fetch("SELECT * FROM user_counts")
    kept: dict[int, dict[str, Any]] = {row["user_id"]: dict(row) for row in rows}
    assert kept[ann.id] == {"user_id": ann.id} | asdict(Counts(likes=10))
    assert kept[bob.id] == {"user_id": bob.id} | asdict(Counts(2, 4, 6, 8))
