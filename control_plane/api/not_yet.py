"""Endpoints that are not served yet, and whose refusals iOS decodes all the same:
it wants their counters even then (docs/apps.md)."""

from aiohttp import web

from control_plane.base.refusals import Refusal
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer

COUNTERS = {
    "likeComment": "like_count",
    "likeCommentReply": "like_count",
    "addVideoFavourite": "fav_count",
}
NOT_YET = "This feature is not available yet."


def endpoints() -> dict[str, Endpoint]:
    return {name: _endpoint(counter) for name, counter in COUNTERS.items()}


def _endpoint(counter: str) -> Endpoint:
    def refused(refusal: Refusal) -> web.Response:
        return answer(refusal.sentence, refusal.code, {counter: 0})

    async def handler(_call: Call) -> web.Response:
        raise Refusal(NOT_YET)

    return Endpoint(handler, "optional", refused)
