"""The feeds, likes and views."""

import asyncio
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import imageio_ffmpeg

from control_plane.base.database import open_pool
from control_plane.commands.seed_demo import seed_demo
from control_plane.config.settings import Settings
from control_plane.videos.model.viewers import GUESTS_OF_ADDRESS
from control_plane.wiring.services import services
from tests.api.town import Post
from tests.support.api import API, Account, App, Json, running


def _names(items: list[Json]) -> list[str]:
    return [item["Video"]["description"] for item in items]


async def _feed(app: App, who: Account | None, page: int, **more: object) -> list[str]:
    body = {"starting_point": str(page), **more}
    answer = await app.call("showRelatedVideos", body, who.token if who else "")
    return [] if answer["code"] == 201 else _names(answer["msg"])


async def _ids(app: App) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in range(5):
        answer = await app.call("showRelatedVideos", {"starting_point": page})
        if answer["code"] == 200:
            found |= {
                item["Video"]["description"]: item["Video"]["id"]
                for item in answer["msg"]
            }
    return found


async def test_a_guest_sees_everything_newest_first(app: App, post: Post) -> None:
    author = await app.sign_in("author")
    for number in range(12):
        await post(author, f"v{number}")

    assert await _feed(app, None, 0) == [f"v{n}" for n in range(11, 1, -1)]
    assert await _feed(app, None, 1) == ["v1", "v0"]
    assert await _feed(app, None, 2) == []


async def test_an_item_offers_only_what_is_served(app: App, post: Post) -> None:
    await post(await app.sign_in("author"), "one")

    item = (await app.ask("showRelatedVideos", {}))[0]

    video = item["Video"]
    assert (video["allow_comments"], video["allow_duet"]) == ("false", 0)
    assert video["default_thumbnail"] == video["thum"] != ""
    # iOS decodes objects there, and loses the whole feed by a list.
    assert not {"Hashtag", "HashtagVideo"} & item.keys()


async def test_unseen_ones_come_first_the_next_time(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    for number in range(4):
        await post(author, f"v{number}")
    ids = await _ids(app)
    watched = [{"video_id": str(ids["v3"]), "duration": "80"}, {"video_id": ids["v1"]}]

    assert await ann.ask("watchVideo", {"watch_videos": watched}) == "success"

    assert await _feed(app, ann, 0) == ["v2", "v0", "v3", "v1"]
    device = {"device_id": "phone-1"}
    await app.ask("watchVideo", {"video_id": ids["v2"], **device})
    assert await _feed(app, None, 0, **device) == ["v3", "v1", "v0", "v2"]


async def test_pages_stay_as_they_were_when_the_feed_was_opened(
    app: App, post: Post
) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    for number in range(25):
        await post(author, f"v{number}")
    ids = await _ids(app)

    pages = []
    for page in range(4):
        names = await _feed(app, ann, page)
        watched = [{"video_id": ids[name]} for name in names]
        await ann.ask("watchVideo", {"watch_videos": watched})
        await post(author, f"new{page}")
        pages.append(names)

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert list(chain.from_iterable(pages)) == [f"v{n}" for n in range(24, -1, -1)]
    assert (await _feed(app, ann, 0))[:5] == ["new3", "new2", "new1", "new0", "v24"]


async def test_pages_go_from_unseen_to_seen_without_a_gap(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    for number in range(25):
        await post(author, f"v{number}")
    ids = await _ids(app)
    seen = [{"video_id": ids[f"v{n}"]} for n in range(13)]
    await ann.ask("watchVideo", {"watch_videos": seen})

    pages = [await _feed(app, ann, page) for page in range(4)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert list(chain.from_iterable(pages)) == [f"v{n}" for n in range(24, -1, -1)]


async def test_a_like_is_counted_and_taken_back(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    await post(author, "v")
    video = {"video_id": str((await _ids(app))["v"])}

    liked = await ann.call("likeVideo", video | {"user_id": str(ann.id)})

    assert (liked["code"], liked["like"], liked["like_count"]) == (200, 1, 1)
    assert liked["msg"]["Video"]["like"] == 1
    shown = (await ann.ask("showVideoDetail", video))["Video"]
    assert (shown["like"], shown["like_count"]) == (1, 1)
    assert (await app.ask("showVideoDetail", video))["Video"]["like"] == 0
    assert (await ann.sees(author))["likes_count"] == 1
    guest = await app.call("likeVideo", video)
    assert (guest["code"], guest["like"], guest["like_count"]) == (401, 0, 1)
    taken = await ann.call("likeVideo", video)
    assert taken == {"code": 200, "msg": "unlike", "like": 0, "like_count": 0}
    assert (await ann.sees(author))["likes_count"] == 0


async def test_many_likes_at_once_are_all_counted(app: App, post: Post) -> None:
    author = await app.sign_in("author")
    fans = [await app.sign_in(f"fan{i}") for i in range(10)]
    await post(author, "v")
    video = {"video_id": (await _ids(app))["v"]}

    await asyncio.gather(*(fan.ask("likeVideo", video) for fan in fans))

    assert (await app.ask("showVideoDetail", video))["Video"]["like_count"] == 10


async def test_likes_of_a_deleted_account_are_gone(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    await post(author, "v")
    await post(ann, "mine")
    video = {"video_id": (await _ids(app))["v"]}
    await ann.ask("likeVideo", video)

    await ann.ask("deleteUserAccount", {})

    assert (await app.ask("showVideoDetail", video))["Video"]["like_count"] == 0
    assert await _feed(app, None, 0) == ["v"]


async def test_a_viewer_counts_once_an_hour(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    await post(author, "v")
    video = {"video_id": (await _ids(app))["v"]}

    for _ in range(3):
        await ann.ask("watchVideo", video)
    await app.ask("watchVideo", {**video, "device_id": "a"})
    await app.ask("watchVideo", video)  # nobody that could be told apart

    assert (await app.ask("showVideoDetail", video))["Video"]["view"] == 2


async def test_blocks_hide_videos(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    await post(author, "v")
    video = {"video_id": (await _ids(app))["v"]}

    for blocker, blocked in ((ann, author), (author, ann)):
        await blocker.ask("blockUser", {"block_user_id": blocked.id})
        assert await _feed(app, ann, 0) == []
        assert (await ann.refused("showVideoDetail", video))["code"] == 201
        refused = await ann.refused("likeVideo", video)
        assert (refused["like"], refused["like_count"]) == (0, 0)
        await blocker.call("blockUser", {"block_user_id": blocked.id})
    assert await _feed(app, ann, 0) == ["v"]


async def test_following_does_not_open_a_private_account(
    app: App, wanted: Settings, post: Post
) -> None:
    author, fan, ann = [await app.sign_in(name) for name in ("author", "fan", "ann")]
    await post(author, "v")
    await fan.ask("followUser", {"receiver_id": author.id})
    async with open_pool(wanted.database_url.get_secret_value()) as pool:
        await pool.execute("UPDATE users SET private = true WHERE id = $1", author.id)

    refused = await ann.refused("followUser", {"receiver_id": author.id})

    assert refused["error"] == "This account is private."
    assert await _feed(app, ann, 0) == []
    assert (await ann.sees(author))["button"] == "follow"
    assert await _feed(app, fan, 0) == ["v"]
    # An app that sends the whole profile again changes nothing by it.
    assert (await author.ask("editProfile", {"private": "1"}))["User"]["private"] == 1
    await fan.ask("followUser", {"receiver_id": author.id})
    assert await _feed(app, fan, 0) == []


async def test_phones_that_one_address_invents_are_soon_the_same(
    app: App, wanted: Settings, post: Post
) -> None:
    author = await app.sign_in("author")
    await post(author, "v")
    video_id = (await _ids(app))["v"]

    async def look(number: int) -> None:
        device = {"device_id": f"phone {number}"}
        await app.ask("showRelatedVideos", {"starting_point": "0", **device})
        await app.ask("watchVideo", {"video_id": video_id, **device})

    for start in range(0, 500, 20):
        await asyncio.gather(*(look(start + i) for i in range(20)))

    async with open_pool(wanted.database_url.get_secret_value()) as pool:
        feeds = await pool.fetchval("SELECT count(*) FROM feeds")
        views = await pool.fetchval("SELECT count(*) FROM video_views")
    assert feeds <= GUESTS_OF_ADDRESS
    assert views <= GUESTS_OF_ADDRESS
    shown = (await app.ask("showVideoDetail", {"video_id": video_id}))["Video"]
    assert shown["view"] == views


async def test_the_videos_of_those_one_follows(app: App, post: Post) -> None:
    author, other, ann = [
        await app.sign_in(name) for name in ("author", "other", "ann")
    ]
    await post(author, "v")
    await post(other, "w")

    assert (await ann.refused("showFollowingVideos"))["code"] == 201
    assert (await app.refused("showFollowingVideos"))["code"] == 201
    await ann.ask("followUser", {"receiver_id": author.id})

    assert _names(await ann.ask("showFollowingVideos", {"starting_point": "0"})) == [
        "v"
    ]


async def test_a_profile_has_public_and_private_videos(app: App, post: Post) -> None:
    author, ann = await app.sign_in("author"), await app.sign_in("ann")
    empty = await ann.call("showVideosAgainstUserID", {"user_id": ann.id})
    assert empty == {"code": 200, "msg": {"public": [], "private": []}}
    for number in range(21):
        await post(author, f"v{number}")
    whose = {"user_id": str(ann.id), "other_user_id": str(author.id)}

    first = await ann.ask("showVideosAgainstUserID", whose)
    second = await ann.ask("showVideosAgainstUserID", whose | {"starting_point": "1"})

    assert _names(first["public"] + second["public"]) == [
        f"v{n}" for n in range(20, -1, -1)
    ]
    assert (await ann.sees(author))["video_count"] == 21
    wrong = await ann.refused("showVideosAgainstUserID", {"starting_point": "x"})
    assert wrong["msg"] == {"public": [], "private": []}


async def test_the_demo_videos_play(wanted: Settings, tmp_path: Path) -> None:
    wanted = wanted.model_copy(update={"media_folder": tmp_path})
    async with running(wanted, API) as app, services(wanted) as opened:
        assert await seed_demo(opened, tmp_path) == 5
        assert await seed_demo(opened, tmp_path) == 0
        items = await app.ask("showRelatedVideos", {})
        assert len(items) == 5
        for item in items:
            assert await _seconds(item["Video"]["video"]) >= item["Video"]["duration"]
            async with app.http.get(item["Video"]["thum"]) as response:
                assert response.content_type == "image/jpeg"
                assert (await response.read()).startswith(b"\xff\xd8")
        await _serves_only_media(app, items[0]["Video"]["video"])


async def _seconds(url: str) -> float:
    """As long as ffmpeg can decode it, picture and sound."""
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-v", "error", "-xerror", "-i", url, "-f", "null", "-progress", "-", "-"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    times = [line for line in out.decode().splitlines() if "out_time_us" in line]
    return int(times[-1].partition("=")[2]) / 1_000_000


async def _serves_only_media(app: App, url: str) -> None:
    async with app.http.get(url, headers={"Range": "bytes=0-9"}) as response:
        assert response.status == 206
        assert len(await response.read()) == 10
    assert urlsplit(url).path.startswith("/api/media/")
    for path in ("/media/", "/media/none.mp4", "/media/..%2fsecret", "/media/a/b.mp4"):
        async with app.http.get(app.base + path) as response:
            assert response.status in (404, 405)
