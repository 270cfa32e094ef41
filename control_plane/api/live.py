"""Going live, one's lasting keys, and watching."""

from datetime import timedelta

from aiohttp import web

from control_plane.api import shapes
from control_plane.api.own import OwnAccount, key, live_name
from control_plane.api.urls import picture
from control_plane.base.batches import Shared
from control_plane.base.refusals import BadInput, Refusal
from control_plane.live.model.bans import LONGEST_DEVICE, Client, mark
from control_plane.live.model.edges import lot
from control_plane.live.model.keys import Terms
from control_plane.live.model.nodes import Node
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.starts import Start
from control_plane.live.model.urls import playback_url, publish_urls
from control_plane.live.model.watching import Broadcast
from control_plane.live.service.broadcasts import Broadcasts, Started
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.lasting_keys import LastingKey, LastingKeys
from control_plane.live.service.moderation import Moderation
from control_plane.live.service.rights import Rights, Whom, watch_terms
from control_plane.live.service.watching import Watching
from control_plane.web.address import Addresses
from control_plane.web.body import Body
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer, body_of, encoded
from control_plane.web.region import Regions
from control_plane.web.snapshots import (
    Json,
    attendance,
    broadcast,
    ingest,
    iso,
    live_streaming,
    preview,
)

MOST_LISTED = 100
LONGEST_REGION = 64  # characters
OVERLAP = 3600  # seconds that a rotated key still opens its channel


class LiveApi:
    def __init__(
        self,
        broadcasts: Broadcasts,
        lasting_keys: LastingKeys,
        watching: Watching,
        rights: Rights,
        ingest_health: IngestHealth,
        moderation: Moderation,
        own_account: OwnAccount,
        addresses: Addresses,
        regions: Regions,
    ) -> None:
        self._moderation = moderation
        self._addresses = addresses
        self._regions = regions
        self._broadcasts = broadcasts
        self._lasting_keys = lasting_keys
        self._watching = watching
        self._rights = rights
        self._ingest_health = ingest_health
        self._own = own_account
        self._lists = Shared(self._list)

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "liveStream": Endpoint(self.live_stream, limit="writes"),
            "streamKeys": Endpoint(self.create_key, limit="writes"),
            "showStreamKeys": Endpoint(self.show_keys),
            "rotateStreamKey": Endpoint(self.rotate_key, limit="writes"),
            "revokeStreamKey": Endpoint(self.revoke_key, limit="writes"),
            "setLivePolicy": Endpoint(self.set_policy, limit="writes"),
            "denyViewer": Endpoint(self.deny_viewer, limit="writes"),
            "watch": Endpoint(
                self.watch, "optional", without_api_key=True, limit="writes"
            ),
            "showLiveStreams": Endpoint(self.show_live, "optional"),
            "showLiveStream": Endpoint(self.show_one, "optional"),
        }

    async def live_stream(self, call: Call) -> web.Response:
        """``{id, ended_at}`` ends a session; anything else starts one."""
        body = call.body
        claimed = body.id("user_id", 0)
        if claimed not in (0, call.me.id):
            raise Refusal("You can only go live as yourself.")
        session_id = body.id("id", 0)
        if session_id and (body.has("ended_at") or body.has("duration")):
            ended = await self._broadcasts.end_own(call.me, session_id)
            return await self._answer(call, live_streaming(ended, 0))
        await self._moderation.check(self._client(call))
        start = _start(call, self._region(call))
        started = await self._broadcasts.start(call.me, start)
        return await self._answer(call, _started(started, call.host))

    def _client(self, call: Call) -> Client:
        """Who is banned is told so in words here, and without them by a node."""
        return Client(_device(call.body), self._addresses.of(call.request))

    def _region(self, call: Call) -> str:
        """As the app asks for it, else where it is."""
        asked = call.body.text("region", longest=LONGEST_REGION)
        return asked or self._regions.of(call.request)

    async def _answer(self, call: Call, live: Json) -> web.Response:
        account = await self._own.of(call)
        return answer({"LiveStreaming": live, "User": account["User"]})

    async def create_key(self, call: Call) -> web.Response:
        body, region = call.body, self._region(call)
        await self._moderation.check(self._client(call))
        made = await self._lasting_keys.create(
            call.me,
            body.text("name", longest=200),
            body.text("channel_name", longest=32),
            Terms(
                opens_at=body.moment("opens_at"),
                closes_at=body.moment("closes_at"),
                one_shot=body.integer("one_shot", 0) != 0,
            ),
            mark(_device(body)),
        )
        return await self._made(call, made, region)

    async def rotate_key(self, call: Call) -> web.Response:
        """``overlap``: seconds; ``at_once``: 1 cuts whoever publishes with the old
        one. With the same Idempotency-Key it is the same new key again."""
        body, request, region = call.body, key(call), self._region(call)
        made = await self._lasting_keys.rotate(
            call.me,
            body.id("id"),
            _overlap(body),
            at_once=body.integer("at_once", 0) != 0,
            request="" if request is None else f"app:{request.key}",
        )
        return await self._made(call, made, region)

    async def _made(self, call: Call, made: LastingKey, region: str) -> web.Response:
        """Shown this once, so also while no node takes a broadcast."""
        channel = made.channel
        node = await self._lasting_keys.node_of(channel.path, region)
        urls = publish_urls(node, call.host, channel.path, made.key)
        return answer(
            {
                "StreamKey": {
                    "id": made.id,
                    "name": made.name,
                    "channel_name": channel.name,
                    "key": made.key,
                    "stream_key": urls.stream_key,
                    "rtmp_server": urls.server,
                    "rtmp_url": urls.rtmp,
                    "srt_url": urls.srt,
                    "whip_url": urls.whip,
                    "playback_url": _playback_url(node, call.host, channel.path),
                }
            }
        )

    async def show_keys(self, call: Call) -> web.Response:
        """Each with where to publish now: a key outlives nodes."""
        region = self._region(call)
        found = await self._lasting_keys.listing(call.me)
        where = await self._where(call, found[0].channel, region) if found else {}
        return answer([{"StreamKey": shapes.stream_key(key) | where} for key in found])

    async def _where(self, call: Call, channel: str, region: str) -> Json:
        path = f"live/{channel}"
        node = await self._lasting_keys.node_of(path, region)
        return {
            "rtmp_server": publish_urls(node, call.host, path, "").server,
            "playback_url": _playback_url(node, call.host, path),
        }

    async def revoke_key(self, call: Call) -> web.Response:
        await self._lasting_keys.revoke(call.me, call.body.id("id"))
        return answer("revoked")

    async def set_policy(self, call: Call) -> web.Response:
        body = call.body
        body.required("policy", longest=20)
        await self._rights.set_policy(call.me.id, body.id("id"), _watch_terms(body))
        return answer("set")

    async def deny_viewer(self, call: Call) -> web.Response:
        """``user_id`` or ``viewer``; ``all``: 1 for everybody."""
        body = call.body
        whom = Whom(body.id("viewer_user_id", 0), body.text("viewer", longest=64))
        if (whom == Whom()) != (body.integer("all", 0) == 1):
            raise BadInput("viewer_user_id, viewer or all is missing.")
        await self._rights.deny(call.me.id, body.id("id"), whom)
        return answer("denied")

    async def watch(self, call: Call) -> web.Response:
        name = live_name(call.body)
        old_token = call.body.text("token", longest=512)
        admission = await self._watching.admit(
            name,
            call.user,
            old_token,
            self._client(call),
            self._region(call),
        )
        session, node = admission.broadcast.session, admission.broadcast.node
        return answer(
            {
                "Watch": {
                    "token": admission.token,
                    "viewer": admission.viewer,
                    "expires_at": admission.expires_at,
                    "playback_url": playback_url(
                        node,
                        call.host,
                        session.path,
                        admission.opens,
                        at=admission.source,
                    ),
                    "thumbnail": f"{call.files}{preview(session.id)}"
                    f"?token={admission.token}",
                    "source": admission.source.name,
                    "lot": lot(admission.source.name, admission.viewer),
                    "sandbox": node.sandbox,
                    "LiveStreaming": broadcast(admission.broadcast),
                }
            }
        )

    async def show_live(self, call: Call) -> web.Response:
        body = call.body
        size = body.integer("size", 20)
        page = body.integer("page", body.page())
        if not 1 <= size <= MOST_LISTED:
            raise BadInput(f"size must be 1 to {MOST_LISTED}.")
        if not 0 <= page <= 100_000:
            raise BadInput("page must be 0 or more.")
        reader = await self._watching.reader(call.user)
        wanted = (reader, size, page, call.host, call.files)
        return encoded(await self._lists.get(wanted))

    async def _list(self, wanted: tuple[int, int, int, str, str]) -> bytes:
        """The answer, which is the same for almost everybody."""
        reader, size, page, *at = wanted
        found = await self._watching.live(size, page, reader)
        return body_of([{"LiveStreaming": _listed(one, *at)} for one in found])

    async def show_one(self, call: Call) -> web.Response:
        found = await self._watching.find(live_name(call.body))
        await self._broadcasts.asked_for(found.session, call.user)
        live = _listed(found, call.host, call.files)
        if call.user is not None and call.user.id == found.session.user_id:
            live |= attendance(await self._broadcasts.attended(found.session.id))
            health = await self._ingest_health.of(found.session)
            live |= {} if health is None else ingest(health)
        return answer({"LiveStreaming": live})


def _overlap(body: Body) -> timedelta:
    try:
        return timedelta(seconds=body.integer("overlap", OVERLAP))
    except OverflowError:
        raise BadInput("overlap must be 0 to 86400 seconds.") from None


def _start(call: Call, region: str) -> Start:
    body = call.body
    window = body.integer("reconnect_window", -1)
    return Start(
        title=body.text("title", longest=200),
        cover=picture(call, "cover"),
        client_started_at=body.text("started_at", longest=40),
        reconnect_window=window if body.has("reconnect_window") else None,
        watch=_watch_terms(body) if body.has("policy") else None,
        device=mark(_device(body)),
        region=region,
    )


def _started(started: Started, host: str) -> Json:
    session, node = started.session, started.node
    urls = publish_urls(node, host, session.path, started.key)
    return live_streaming(session, 0) | {
        "rtmp_url": urls.rtmp,
        "rtmp_server": urls.server,
        "stream_key": urls.stream_key,
        "key": started.key,
        "srt_url": urls.srt,
        "whip_url": urls.whip,
        "playback_url": playback_url(node, host, session.path),
        "expires_at": iso(started.key_expires_at),
    }


def _playback_url(node: Node | None, host: str, path: str) -> str:
    return "" if node is None else playback_url(node, host, path)


def _listed(of: Broadcast, host: str, files: str) -> Json:
    """Where tokens are needed to watch, ``watch`` gives addresses with one."""
    return broadcast(of) | {
        "playback_url": playback_url(of.node, host, of.session.path),
        "thumbnail": files + preview(of.session.id) if of.pictured else "",
    }


def _watch_terms(body: Body) -> WatchTerms:
    price = body.integer("ticket_price", 0)
    return watch_terms(body.text("policy", longest=20), price)


def _device(body: Body) -> str:
    """As the app calls it, where it says so."""
    return body.text("device_id", longest=LONGEST_DEVICE)
