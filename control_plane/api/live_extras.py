"""What the apps call around a broadcast."""

from aiohttp import web

from control_plane.api.own import check_self
from control_plane.live.service.announcing import Announcing
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer


class LiveExtrasApi:
    def __init__(self, announcing: Announcing) -> None:
        self._announcing = announcing

    def endpoints(self) -> dict[str, Endpoint]:
        """The apps' spelling."""
        return {"sendLiveStreamPushNotfication": Endpoint(self.tell_followers)}

    async def tell_followers(self, call: Call) -> web.Response:
        check_self(call, "user_id")
        session_id = call.body.id("live_streaming_id")
        await self._announcing.announce(call.me.id, session_id)
        return answer("success")
