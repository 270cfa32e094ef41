"""The feeds, one video, likes and views."""

from collections.abc import Sequence

from aiohttp import web

from control_plane.api import video_shapes
from control_plane.api.guests import Guests
from control_plane.api.own import check_self
from control_plane.api.social import viewer_id
from control_plane.base.refusals import BadInput, Empty, NoToken, Refusal
from control_plane.videos.model.videos import Item
from control_plane.videos.service.videos import MOST_WATCHED, Videos
from control_plane.web.body import Body
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json, when


def refused_profile(refusal: Refusal) -> web.Response:
    nothing: Json = {"public": [], "private": []}
    return answer(nothing, refusal.code, {"error": refusal.sentence})


def refused_like(refusal: Refusal) -> web.Response:
    return answer(refusal.sentence, refusal.code, {"like": 0, "like_count": 0})


class VideosApi:
    def __init__(self, videos: Videos, guests: Guests) -> None:
        self._videos = videos
        self._guests = guests

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "showRelatedVideos": Endpoint(
                self.show_related, "optional", limit="writes"
            ),
            "showFollowingVideos": Endpoint(self.show_following, "optional"),
            "showVideosAgainstUserID": Endpoint(
                self.show_profile, "optional", refused=refused_profile
            ),
            "showVideoDetail": Endpoint(self.show_detail, "optional"),
            "likeVideo": Endpoint(
                self.like, "optional", refused=refused_like, limit="writes"
            ),
            "watchVideo": Endpoint(self.watch, "optional", limit="writes"),
        }

    async def show_related(self, call: Call) -> web.Response:
        viewer = self._guests.viewer(call)
        found = await self._videos.related(viewer, call.body.page())
        return self._feed(call, found)

    async def show_following(self, call: Call) -> web.Response:
        if call.user is None:
            raise Empty
        found = await self._videos.of_followed(call.me.id, call.body.page())
        return self._feed(call, found)

    async def show_profile(self, call: Call) -> web.Response:
        """An empty profile is 200 too: iOS decodes the two lists from every answer."""
        body, me = call.body, viewer_id(call)
        whose = body.id("other_user_id", 0) or body.id("user_id", 0) or me
        lists: Json = {}
        for name, private in (("public", False), ("private", True)):
            found: list[Item] = []
            if whose and (whose == me or not private):
                found = await self._videos.of_user(
                    me, whose, body.page(), private=private
                )
            lists[name] = self._items(call, found)
        return answer(lists)

    async def show_detail(self, call: Call) -> web.Response:
        found = await self._videos.get(viewer_id(call), call.body.id("video_id"))
        more: Json = {"VideoComment": [], "VideoProduct": []}
        return answer(self._item(call, found) | more)

    async def like(self, call: Call) -> web.Response:
        video_id = call.body.id("video_id")
        if call.user is None:
            return await self._like_of_guest(video_id)
        check_self(call, "user_id")
        liked = await self._videos.toggle_like(call.me.id, video_id)
        count = liked.item.video.like_count
        counters: Json = {"like": int(liked.like is not None), "like_count": count}
        if liked.like is None:
            return answer("unlike", beside=counters)
        shape = self._item(call, liked.item)
        like: Json = {
            "id": liked.like.id,
            "video_id": video_id,
            "user_id": call.me.id,
            "created": when(liked.like.created_at),
        }
        msg = {"VideoLike": like, "Video": shape["Video"], "User": shape["User"]}
        return answer(msg, beside=counters)

    async def _like_of_guest(self, video_id: int) -> web.Response:
        """iOS shows the counter of every answer, so a refusal tells the true one."""
        found = await self._videos.get(0, video_id)
        refusal = NoToken()
        counters: Json = {"like": 0, "like_count": found.video.like_count}
        return answer(refusal.sentence, refusal.code, counters)

    async def watch(self, call: Call) -> web.Response:
        """``watch_videos``, or one ``video_id`` as the older apps send it."""
        await self._videos.watched(self._guests.viewer(call), _watched(call.body))
        return answer("success")

    def _feed(self, call: Call, found: Sequence[Item]) -> web.Response:
        if not found:
            raise Empty
        return answer(self._items(call, found))

    def _items(self, call: Call, found: Sequence[Item]) -> list[Json]:
        return [self._item(call, one) for one in found]

    def _item(self, call: Call, found: Item) -> Json:
        return video_shapes.item(found, viewer_id(call), call.files)


def _watched(body: Body) -> list[int]:
    several = body.fields.get("watch_videos")
    if several is None:
        return [body.id("video_id")]
    if not isinstance(several, list) or len(several) > MOST_WATCHED:
        raise BadInput(f"watch_videos must be a list of at most {MOST_WATCHED}.")
    lines = [Body(one) for one in several if isinstance(one, dict)]
    if len(lines) != len(several):
        raise BadInput("watch_videos must be a list of objects with a video_id.")
    return [line.id("video_id") for line in lines]
