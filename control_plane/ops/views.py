"""``/v1``: what is live and was, channels, keys and people, to look at."""

from collections.abc import Sequence

from msgspec import Struct

from control_plane.base.refusals import BadInput
from control_plane.live.model.attendance import Attended
from control_plane.live.model.ingest import IntakeMinute
from control_plane.live.model.overview import (
    ChannelRow,
    Filter,
    Seen,
    Sort,
    State,
)
from control_plane.live.model.urls import playback_url
from control_plane.live.service.broadcasts import Broadcasts
from control_plane.live.service.counts import Counts
from control_plane.live.service.ingest_health import IngestHealth
from control_plane.live.service.overview import Overview
from control_plane.live.service.watching import Watching
from control_plane.ops.routes import (
    PAGE,
    Call,
    Id,
    Nothing,
    One,
    Paged,
    Route,
    Text,
    WebCall,
    id_in,
    page_of,
)
from control_plane.ops.rows import (
    Key,
    Person,
    Session,
    key_row,
    person_row,
    session_row,
)
from control_plane.people.service.directory import Directory
from control_plane.web.origin import Origins

MOST_KEYS = 100  # of a session or a channel


class SessionQuery(Paged, kw_only=True):
    """``q``: part of the title, or the beginning of the username."""

    state: State = "open"
    sort: Sort = "newest"
    node: Text = ""
    user_id: int = 0
    q: Text = ""


class SessionPage(Struct, frozen=True):
    """``next``: for ``after``; none: this is the last page."""

    sessions: list[Session]
    next: str | None


class SessionDetail(Struct, frozen=True):
    session: Session
    attended: Attended
    intake: list[IntakeMinute]
    keys: list[Key]


class Playback(Struct, frozen=True):
    """``expires_at``: unix seconds; who plays by then goes on."""

    playback_url: str
    expires_at: int
    sandbox: bool


class ChannelQuery(Paged, kw_only=True):
    """``q``: the beginning of its name."""

    q: Text = ""


class ChannelPage(Struct, frozen=True):
    channels: list[ChannelRow]
    next: str | None


class ChannelDetail(Struct, frozen=True):
    channel: ChannelRow
    keys: list[Key]


class KeyQuery(Paged, kw_only=True):
    user_id: Id | None = None


class KeyPage(Struct, frozen=True):
    keys: list[Key]
    next: str | None


class UserQuery(Paged, kw_only=True):
    """``q``: an id, the beginning of a name, or a whole e-mail address or number."""

    q: Text = ""
    banned: bool = False


class UserPage(Struct, frozen=True):
    users: list[Person]
    next: str | None


class UserDetail(Struct, frozen=True):
    """``sessions``: the newest ones."""

    user: Person
    channel: ChannelRow | None
    sessions: list[Session]


class ViewsApi:
    def __init__(
        self,
        overview: Overview,
        broadcasts: Broadcasts,
        counts: Counts,
        ingest: IngestHealth,
        directory: Directory,
        watching: Watching,
        origins: Origins,
    ) -> None:
        self._overview = overview
        self._broadcasts = broadcasts
        self._counts = counts
        self._ingest = ingest
        self._directory = directory
        self._watching = watching
        self._origins = origins

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/sessions", "read", self.sessions),
            Route("GET", "/v1/sessions/{id}", "read", self.session),
            Route("GET", "/v1/sessions/{id}/playback", "read", self.playback),
            Route("GET", "/v1/channels", "read", self.channels),
            Route("GET", "/v1/channels/{id}", "read", self.channel),
            Route("GET", "/v1/keys", "keys", self.keys),
            Route("GET", "/v1/users", "read", self.users),
            Route("GET", "/v1/users/{id}", "read", self.user),
        ]

    async def sessions(self, call: Call[SessionQuery, Nothing]) -> SessionPage:
        """List sessions: what is open, or what was."""
        asked = call.params
        wanted = Filter(asked.state, asked.node, asked.user_id, asked.q.lower())
        place = _place(asked.after)
        found = await self._overview.sessions(
            wanted, asked.sort, place, asked.limit + 1
        )
        following = page_of(found, asked.limit, lambda one: _cursor(one, asked.sort))
        return SessionPage(await self._rows(found), following)

    async def session(self, call: Call[One, Nothing]) -> SessionDetail:
        """One session, minute by minute, and its keys or its channel's."""
        session = await self._broadcasts.get(call.params.id)
        counts = await self._counts.of([session])
        keys = await self._overview.keys(
            MOST_KEYS,
            user_id=session.user_id,
            session_id=0 if session.channel_id else session.id,
            channel_id=session.channel_id or 0,
        )
        [row] = await self._rows([Seen(session, counts.get(session.id, 0))])
        return SessionDetail(
            row,
            await self._broadcasts.attended(session.id),
            await self._ingest.history(session.id),
            [key_row(one) for one in keys],
        )

    async def playback(self, call: WebCall[One, Nothing]) -> Playback:
        """Where a session plays for an operator, who is not counted as a viewer."""
        found = await self._watching.look_in(call.params.id)
        at, host = found.broadcast, self._origins.of(call.request).host
        url = playback_url(at.node, host, at.session.path, found.token)
        return Playback(url, found.expires_at, at.node.sandbox)

    async def channels(self, call: Call[ChannelQuery, Nothing]) -> ChannelPage:
        """List channels, the newest first."""
        asked = call.params
        found = await self._overview.channels(
            asked.q.lower(), id_in(asked.after), asked.limit + 1
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return ChannelPage(found, following)

    async def channel(self, call: Call[One, Nothing]) -> ChannelDetail:
        """One channel and its keys."""
        channel = await self._overview.channel(call.params.id)
        keys = await self._overview.keys(
            MOST_KEYS, user_id=channel.user_id, channel_id=channel.id
        )
        return ChannelDetail(channel, [key_row(one) for one in keys])

    async def keys(self, call: Call[KeyQuery, Nothing]) -> KeyPage:
        """List stream keys, masked, the newest first."""
        asked = call.params
        found = await self._overview.keys(
            asked.limit + 1, before=id_in(asked.after), user_id=asked.user_id or 0
        )
        following = page_of(found, asked.limit, lambda one: one.id)
        return KeyPage([key_row(one) for one in found], following)

    async def users(self, call: Call[UserQuery, Nothing]) -> UserPage:
        """List accounts, or search them."""
        asked, before = call.params, id_in(call.params.after)
        if asked.q:
            found = await self._directory.search(
                asked.q, asked.limit + 1, banned=asked.banned, before=before
            )
        else:
            found = await self._directory.newest(
                asked.limit + 1, banned=asked.banned, before=before
            )
        following = page_of(found, asked.limit, lambda one: one.id)
        return UserPage([person_row(one) for one in found], following)

    async def user(self, call: Call[One, Nothing]) -> UserDetail:
        """One account, its channel and its newest sessions."""
        user = await self._directory.get(call.params.id)
        wanted = Filter("all", user_id=user.id)
        found = await self._overview.sessions(wanted, "newest", None, PAGE)
        return UserDetail(
            person_row(user),
            await self._overview.channel_of(user.id),
            await self._rows(found),
        )

    async def _rows(self, found: Sequence[Seen]) -> list[Session]:
        healths = await self._ingest.of_all(one.session for one in found)
        return [session_row(one, healths.get(one.session.id)) for one in found]


def _place(after: str) -> tuple[int, int] | None:
    if not after:
        return None
    first, _, second = after.partition(".")
    try:
        place = int(first), int(second)
    except ValueError:
        raise BadInput("after is no cursor of this list.") from None
    if max(abs(one) for one in place) >= 2**31:
        raise BadInput("after is no cursor of this list.")
    return place


def _cursor(one: Seen, sort: Sort) -> str:
    first, second = one.place(sort)
    return f"{first}.{second}"
