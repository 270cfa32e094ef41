"""Going live and watching, made from the settings; each part when it is first used."""

from datetime import timedelta
from functools import cached_property, partial

import aiohttp

from control_plane.base.database import Pool
from control_plane.base.redis import Redis
from control_plane.base.secrets import Secrets
from control_plane.base.turns import Turns
from control_plane.config.settings import Settings
from control_plane.live.model.nodes import Node, NodeApi
from control_plane.live.service.at_once import AtOnce
from control_plane.live.service.attendance import Attendance
from control_plane.live.service.authorize import API_USER
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.counting import Counting
from control_plane.live.service.counts import Counts
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.emptying import Emptying
from control_plane.live.service.figures import Figures
from control_plane.live.service.heartbeats import Heartbeats
from control_plane.live.service.hints import Hints
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.judging import Judging
from control_plane.live.service.lasting_keys import LastingKeys
from control_plane.live.service.lifecycle import Lifecycle, Spans
from control_plane.live.service.looking_again import LookingAgain
from control_plane.live.service.measuring import Measuring
from control_plane.live.service.moderation import Moderation
from control_plane.live.service.nodes import Nodes
from control_plane.live.service.overview import Overview
from control_plane.live.service.owed_cuts import OwedCuts
from control_plane.live.service.previewing import Previewing
from control_plane.live.service.previews import Previews
from control_plane.live.service.rights import Rights
from control_plane.live.service.sources import Sources
from control_plane.live.service.stills import Stills
from control_plane.live.service.stores import Stores
from control_plane.live.service.watching import Watching
from control_plane.live.store.beats import Beats
from control_plane.live.store.ingest import IngestStore
from control_plane.live.store.previews import PreviewStore
from control_plane.live.store.unlisted import LEAST, UnlistedTokens
from control_plane.live.store.viewers import ViewerSets
from mediamtx.cache import Cache
from mediamtx.client import Client
from mediamtx.hls import newest


class Live:
    """``reserved`` are the connections of what nodes ask for and of going live: nothing
    that is slow, or that anybody can ask for in any number, runs there."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        pool: Pool,
        reserved: Pool,
        redis: Redis,
        http: aiohttp.ClientSession,
    ) -> None:
        self.settings = settings
        self.secrets = secrets
        self.pool = pool
        self.reserved = reserved
        self.redis = redis
        self._http = http
        self._peppers = secrets.key_peppers()
        self._viewer_key = secrets.viewer_tokens()
        self._tokens_by_default = settings.playback == "token"
        self._first_publish = timedelta(seconds=settings.first_publish_seconds)
        #: Of all looks at nodes one at a time goes on.
        self._turns = Turns()

    @cached_property
    def nodes(self) -> Nodes:
        return Nodes(self.reserved, self._connect)

    @cached_property
    def _viewers_nodes(self) -> Nodes:
        return Nodes(self.pool, self._connect)

    def _connect(self, node: Node) -> NodeApi:
        if node.role in ("cache", "cdn"):
            return Cache(self._http, node.api_url)
        password = self.secrets.node_api(node.name)
        turn = self._turns.of(node.name)
        return Client(self._http, node.api_url, API_USER, password, turn=turn)

    @cached_property
    def stores(self) -> Stores:
        return Stores(self.reserved, self.redis)

    @cached_property
    def lifecycle(self) -> Lifecycle:
        created = self.settings.gift_created_sessions
        spans = Spans(
            self.settings.reconnect_seconds,
            timedelta(seconds=self.settings.longest_session_seconds),
            self._first_publish if created else timedelta(0),
        )
        return Lifecycle(self.reserved, spans)

    @cached_property
    def cutter(self) -> Cutter:
        return Cutter(self.reserved, self.nodes)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        return Broadcasts(
            self.reserved,
            self.nodes,
            self.lifecycle,
            self.cutter,
            peppers=self._peppers,
            first_publish_within=self._first_publish,
        )

    @cached_property
    def lasting_keys(self) -> LastingKeys:
        return LastingKeys(
            self.reserved,
            self.nodes,
            self.cutter,
            peppers=self._peppers,
            requested=self.secrets.requested_keys(),
        )

    @cached_property
    def moderation(self) -> Moderation:
        return Moderation(
            self.reserved,
            self.broadcasts,
            self.cutter,
            viewer_key=self._viewer_key,
        )

    @cached_property
    def rights(self) -> Rights:
        return self._rights(self.reserved, self._judging)

    @cached_property
    def viewers_rights(self) -> Rights:
        """The same, for what viewers ask for."""
        return self._rights(self.pool, self._judges(self.pool))

    def _rights(self, pool: Pool, judging: Judging) -> Rights:
        return Rights(
            pool,
            self.cutter,
            judging,
            tokens_by_default=self._tokens_by_default,
        )

    @cached_property
    def owed_cuts(self) -> OwedCuts:
        return OwedCuts(self.reserved, self.cutter, self._judging)

    @cached_property
    def at_once(self) -> AtOnce:
        limit = self.settings.watching_at_once
        return AtOnce(self.pool, self._viewer_sets, self.viewers_rights, limit=limit)

    @cached_property
    def looking_again(self) -> LookingAgain:
        seconds = self.settings.rights_seconds
        return LookingAgain(
            self.counting,
            self.rights,
            self.at_once,
            self.cutter,
            self._judging,
            seconds,
        )

    @cached_property
    def watching(self) -> Watching:
        return Watching(
            self.pool,
            self._viewers_nodes,
            self.counts,
            self.previews,
            self.viewers_rights,
            self.at_once,
            self.sources,
            viewer_key=self._viewer_key,
            token_seconds=int(self.settings.viewer_token_hours * 3600),
            signing_keys=self.secrets.signed_urls,
            signed_seconds=self.settings.signed_url_seconds,
        )

    @cached_property
    def sources(self) -> Sources:
        return Sources(self._viewers_nodes, self.beats)

    @cached_property
    def emptying(self) -> Emptying:
        return Emptying(
            self.reserved, self.nodes, self.beats, viewer_key=self._viewer_key
        )

    @cached_property
    def beats(self) -> Beats:
        return Beats(self.redis)

    @cached_property
    def _viewer_sets(self) -> ViewerSets:
        return ViewerSets(self.redis)

    @cached_property
    def _judging(self) -> Judging:
        return self._judges(self.reserved)

    def _judges(self, pool: Pool) -> Judging:
        return Judging(
            pool,
            self._unlisted,
            viewer_key=self._viewer_key,
            tokens_by_default=self._tokens_by_default,
        )

    @cached_property
    def _unlisted(self) -> UnlistedTokens:
        seconds = max(LEAST, 2 * self.settings.rights_seconds)
        return UnlistedTokens(self.redis, seconds)

    @cached_property
    def hints(self) -> Hints:
        return Hints(self._viewer_sets, self.beats, self._unlisted)

    @cached_property
    def counts(self) -> Counts:
        return Counts(self._viewer_sets)

    @cached_property
    def attendance(self) -> Attendance:
        return Attendance(self.pool, self._viewer_sets)

    @cached_property
    def counting(self) -> Counting:
        return Counting(
            self._viewer_sets,
            self.beats,
            self._viewer_key,
            self.attendance,
            self._turns,
        )

    @cached_property
    def heartbeats(self) -> Heartbeats:
        return Heartbeats(self.pool, self.counts, self.settings.heartbeat_seconds)

    @cached_property
    def _ingest(self) -> IngestStore:
        return IngestStore(self.redis)

    @cached_property
    def measuring(self) -> Measuring:
        return Measuring(self.reserved, self._ingest)

    @cached_property
    def ingest_health(self) -> IngestHealth:
        return IngestHealth(self.pool, self._ingest)

    @cached_property
    def _pictures(self) -> PreviewStore:
        return PreviewStore(self.redis)

    @cached_property
    def previewing(self) -> Previewing:
        return Previewing(
            self.measuring,
            partial(newest, self._http),
            Stills(self.settings.ffmpeg),
            self._pictures,
            viewer_key=self._viewer_key,
            every=self.settings.preview_seconds,
        )

    @cached_property
    def previews(self) -> Previews:
        return Previews(
            self.pool,
            self._pictures,
            viewer_key=self._viewer_key,
            tokens_by_default=self._tokens_by_default,
        )

    @cached_property
    def overview(self) -> Overview:
        return Overview(self.pool, self.counts, self.beats)

    @cached_property
    def figures(self) -> Figures:
        return Figures(self.overview, self.nodes, self.ingest_health)
