"""Which videos a viewer gets, and in which order."""

from itertools import chain

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.people.service.social import Social
from control_plane.videos.model.viewers import Viewer
from control_plane.videos.service.videos import Videos
from tests.videos.conftest import Join, Post, names


async def test_the_unseen_come_first_and_pages_stay_as_they_were(
    videos: Videos, join: Join, post: Post
) -> None:
    author, me = await join("author"), Viewer(await join("ann"))
    ids = [await post(author, f"v{i}") for i in range(25)]
    await videos.watched(me, ids[20:])

    pages = []
    for page in range(4):
        found = await videos.related(me, page)
        await videos.watched(me, [item.video.id for item in found])
        await post(author, f"new{page}")
        pages.append(names(found))

    order = [*range(19, -1, -1), *range(24, 19, -1)]
    assert list(chain.from_iterable(pages)) == [f"v{i}" for i in order]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert names(await videos.related(me, 0))[:4] == ["new3", "new2", "new1", "new0"]


async def test_ones_own_videos_are_on_the_profile_and_not_in_the_feed(
    videos: Videos, join: Join, post: Post
) -> None:
    ann = await join("ann")
    await post(ann, "mine")

    assert await videos.related(Viewer(ann), 0) == []
    assert names(await videos.of_user(ann, ann, 0, private=False)) == ["mine"]


@pytest.mark.parametrize(
    ("privacy", "seen_by"),
    [
        ("public", {"author", "friend", "fan", "guest"}),
        ("friends", {"author", "friend"}),
        ("private", {"author"}),
    ],
)
async def test_who_sees_a_video(
    videos: Videos,
    social: Social,
    join: Join,
    post: Post,
    pool: Pool,
    privacy: str,
    seen_by: set[str],
) -> None:
    people = {name: await join(name) for name in ("author", "friend", "fan")}
    author = people["author"]
    await social.toggle_follow(people["fan"], author)
    await social.toggle_follow(people["friend"], author)
    await social.toggle_follow(author, people["friend"])
    video = await post(author, "v")
    await pool.execute("UPDATE videos SET privacy_type = $1", privacy)

    assert await _sees(videos, people | {"guest": 0}, video) == seen_by


async def test_a_private_account_shows_its_videos_to_its_followers_only(
    videos: Videos, social: Social, join: Join, post: Post, pool: Pool
) -> None:
    people = {name: await join(name) for name in ("author", "fan", "other")}
    video = await post(people["author"], "v")
    await social.toggle_follow(people["fan"], people["author"])
    await pool.execute(
        "UPDATE users SET private = true WHERE id = $1", people["author"]
    )

    with pytest.raises(Refusal):
        await social.toggle_follow(people["other"], people["author"])

    assert await _sees(videos, people | {"guest": 0}, video) == {"author", "fan"}


async def test_a_block_hides_videos_both_ways(
    videos: Videos, social: Social, join: Join, post: Post
) -> None:
    ann, bob = await join("ann"), await join("bob")
    of_ann, of_bob = await post(ann, "a"), await post(bob, "b")
    await social.toggle_block(ann, bob)

    for me, video in ((ann, of_bob), (bob, of_ann)):
        assert await videos.related(Viewer(me), 0) == []
        with pytest.raises(Refusal, match="video not available"):
            await videos.get(me, video)
        with pytest.raises(Refusal):
            await videos.toggle_like(me, video)


async def test_videos_of_those_who_are_gone_are_gone(
    videos: Videos, join: Join, post: Post, pool: Pool
) -> None:
    author, ann = await join("author"), await join("ann")
    await post(author, "v")
    for column in ("banned_at", "deleted_at"):
        await pool.execute(f"UPDATE users SET {column} = now() WHERE id = $1", author)  # noqa: S608
        assert await videos.related(Viewer(ann), 0) == []
        await pool.execute(f"UPDATE users SET {column} = NULL WHERE id = $1", author)  # noqa: S608
    assert names(await videos.related(Viewer(ann), 0)) == ["v"]


async def test_those_whom_one_follows(
    videos: Videos, social: Social, join: Join, post: Post
) -> None:
    author, other, ann = [await join(name) for name in ("author", "other", "ann")]
    for number in range(12):
        await post(author, f"v{number}")
    await post(other, "w")
    await social.toggle_follow(ann, author)

    first = await videos.of_followed(ann, 0)
    await post(author, "later")
    second = await videos.of_followed(ann, 1)

    assert names(first + second) == [f"v{n}" for n in range(11, -1, -1)]


async def _sees(videos: Videos, people: dict[str, int], video: int) -> set[str]:
    seen = set()
    for name, user_id in people.items():
        try:
            await videos.get(user_id, video)
        except Refusal:
            continue
        seen.add(name)
    return seen
