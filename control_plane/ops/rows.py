"""Sessions, keys and people as rows of what operators read."""

from datetime import UTC, datetime

from msgspec import Struct

from control_plane.live.model.ingest import Health, Problem, advice
from control_plane.live.model.keys import masked
from control_plane.live.model.overview import KeyRow, KeyStanding, Seen
from control_plane.live.model.sessions import EndReason, Status
from control_plane.people.model.users import User


class Ingest(Struct, frozen=True, kw_only=True):
    """How it comes in now. ``bitrate``: bits a second. ``advice``: a sentence for each
    of the problems, to its host."""

    bitrate: int | None
    fps: float | None
    key_frame_seconds: float | None
    frames_in_error: int | None
    codec: str
    profile: str
    width: int
    height: int
    problems: tuple[Problem, ...]
    advice: list[str]


class Session(Struct, frozen=True, kw_only=True):
    """``ingest``: while it is known. ``events``: where what happened in it stands."""

    id: int
    status: Status
    title: str
    user_id: int
    username: str
    path: str
    node: str
    policy: str
    viewers: int
    peak_viewers: int
    publisher: str | None
    created_at: datetime
    started_at: datetime | None
    reconnecting_until: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    ingest: Ingest | None
    events: str


class Key(Struct, frozen=True, kw_only=True):
    """``key``: its last characters only."""

    id: int
    key: str
    state: KeyStanding
    name: str
    user_id: int
    session_id: int | None
    channel: str
    one_shot: bool
    created_at: datetime
    opens_at: datetime | None
    closes_at: datetime | None
    last_published_at: datetime | None


class Person(Struct, frozen=True):
    id: int
    username: str
    first_name: str
    last_name: str
    verified: bool
    banned_at: datetime | None
    ban_reason: str
    deleted_at: datetime | None
    created_at: datetime
    events: str


def session_row(seen: Seen, health: Health | None) -> Session:
    one = seen.session
    return Session(
        id=one.id,
        status=one.status,
        title=one.title,
        user_id=one.user_id,
        username=one.username,
        path=one.path,
        node=one.node,
        policy=one.policy,
        viewers=seen.viewers,
        peak_viewers=one.peak_viewers,
        publisher=one.publisher_type,
        created_at=one.created_at,
        started_at=one.started_at,
        reconnecting_until=one.reconnect_until,
        ended_at=one.ended_at,
        end_reason=one.end_reason,
        ingest=None if health is None else _ingest(health),
        events=f"/v1/events?subject=session/{one.id}",
    )


def _ingest(of: Health) -> Ingest:
    return Ingest(
        bitrate=of.bitrate,
        fps=of.fps,
        key_frame_seconds=of.key_frame_seconds,
        frames_in_error=of.frames_in_error,
        codec=of.codec,
        profile=of.profile,
        width=of.width,
        height=of.height,
        problems=of.problems,
        advice=advice(of),
    )


def key_row(one: KeyRow) -> Key:
    return Key(
        id=one.id,
        key=masked(one.hint),
        state=one.standing(datetime.now(UTC)),
        name=one.name,
        user_id=one.user_id,
        session_id=one.session_id,
        channel=one.channel,
        one_shot=one.one_shot,
        created_at=one.created_at,
        opens_at=one.opens_at,
        closes_at=one.closes_at,
        last_published_at=one.last_published_at,
    )


def person_row(one: User) -> Person:
    return Person(
        one.id,
        one.username,
        one.first_name,
        one.last_name,
        one.verified,
        one.banned_at,
        one.ban_reason,
        one.deleted_at,
        one.created_at,
        f"/v1/events?subject=user/{one.id}",
    )
