"""What viewers who are not signed in can leave behind."""

import asyncio

import pytest

from control_plane.base.database import Pool
from control_plane.videos.model.viewers import GUESTS_OF_ADDRESS, Viewer, guest_name
from control_plane.videos.service.videos import GUEST_DAYS, MOST_OF_GUEST, Videos
from tests.videos.conftest import Join, Post, names

KEY = b"k" * 32


def _guest(device: str, address: str = "192.0.2.1") -> Viewer:
    return Viewer(guest=guest_name(KEY, address, device))


def test_a_guest_is_known_again_and_told_from_most_others() -> None:
    assert _guest("phone") == _guest("phone")
    assert _guest("phone") != _guest("phone", "192.0.2.2")
    assert len({_guest(f"phone {i}").name for i in range(20)}) > 15
    assert _guest("").name == Viewer().name == ""
    for told in ("phone", "192.0.2.1"):
        assert told not in _guest("phone").name
    other_key = guest_name(b"o" * 32, "192.0.2.1", "phone")
    assert Viewer(guest=other_key) != _guest("phone")


def test_a_device_cannot_pretend_to_be_a_user() -> None:
    assert _guest("user 7").name.startswith("guest ")
    assert Viewer(7, "abc").name == "user 7"


async def test_a_thousand_invented_phones_leave_few_rows(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    author = await join("author")
    ids = [await post(author, f"v{i}") for i in range(3)]

    async def look(device: str) -> None:
        await videos.related(_guest(device), 0)
        await videos.watched(_guest(device), ids)

    for start in range(0, 1000, 50):
        await asyncio.gather(*(look(f"phone {start + i}") for i in range(50)))

    feeds = await pool.fetchval("SELECT count(*) FROM feeds")
    views = await pool.fetchval("SELECT count(*) FROM video_views")
    assert 100 < feeds <= GUESTS_OF_ADDRESS
    assert views == 3 * feeds
    seen = (await videos.get(0, ids[0])).video
    assert seen.view_count == feeds


async def test_only_the_newest_views_of_a_guest_are_kept(
    videos: Videos, join: Join, pool: Pool
) -> None:
    await _videos(pool, await join("author"), MOST_OF_GUEST + 50)
    rows = await pool.fetch("SELECT id FROM videos ORDER BY id")
    ids = [row["id"] for row in rows]
    user = await join("ann")

    for start in range(0, len(ids), 50):
        for viewer in (_guest("phone"), Viewer(user)):
            await videos.watched(viewer, ids[start : start + 50])

    rows = await pool.fetch(
        "SELECT viewer, min(video_id) AS first, count(*) AS number FROM video_views"
        " GROUP BY viewer ORDER BY viewer"
    )
    assert [(row["number"], row["first"]) for row in rows] == [
        (MOST_OF_GUEST, ids[50]),
        (len(ids), ids[0]),
    ]


@pytest.mark.parametrize("what", ["views", "feeds"])
async def test_what_guests_left_long_ago_is_dropped(
    videos: Videos, join: Join, post: Post, pool: Pool, what: str
) -> None:
    video, user = await post(await join("author"), "v"), await join("ann")
    old = [_guest(f"phone {i}") for i in range(20)]
    for viewer in (*old, Viewer(user)):
        await videos.related(viewer, 0)
        await videos.watched(viewer, [video])
    for update in (
        "UPDATE video_views SET last_at = last_at - make_interval(days => $1)",
        "UPDATE feeds SET opened_at = opened_at - make_interval(days => $1)",
    ):
        await pool.execute(update, GUEST_DAYS + 1)

    new = _guest("new", "192.0.2.2")
    if what == "views":
        await videos.watched(new, [video])
        rows = await pool.fetch("SELECT viewer FROM video_views ORDER BY viewer")
    else:
        await videos.related(new, 0)
        rows = await pool.fetch("SELECT viewer FROM feeds ORDER BY viewer")

    assert [row["viewer"] for row in rows] == [new.name, Viewer(user).name]


async def test_what_is_dropped_is_found_by_an_index(pool: Pool, join: Join) -> None:
    await _videos(pool, await join("author"), 1)
    for table, column, index in (
        ("video_views", "last_at", "views_of_guests"),
        ("feeds", "opened_at", "feeds_of_guests"),
    ):
        async with pool.transaction() as connection:
            await connection.execute("SET LOCAL enable_seqscan = off")
            rows = await connection.fetch(
                f"EXPLAIN SELECT viewer FROM {table} WHERE viewer LIKE 'guest %'"  # noqa: S608
                f" AND {column} < now() - interval '1 day' ORDER BY {column} LIMIT 9"
            )
        assert any(index in row["QUERY PLAN"] for row in rows)


async def test_a_guest_without_a_phone_leaves_nothing(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    video = await post(await join("author"), "v")

    assert names(await videos.related(Viewer(), 0)) == ["v"]
    await videos.watched(Viewer(), [video])

    for table in ("feeds", "video_views"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def _videos(pool: Pool, author: int, number: int) -> None:
    await pool.execute(
        "INSERT INTO videos (user_id, video_url)"
        " SELECT $1, '/media/' || i FROM generate_series(1, $2::integer) AS i",
        author,
        number,
    )
