"""What needs somebody: in words, and with the section of the runbook that says what to
do about it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Literal

from msgspec import Struct

from control_plane.base.room import Disk, Folder
from control_plane.live.model.nodes import Node
from control_plane.live.service.overview import Overview
from control_plane.live.service.stores import Stores, StoresNow
from control_plane.ops import guide
from control_plane.ops.rows import Session
from control_plane.webhooks.model.endpoints import Trouble
from control_plane.webhooks.service.webhooks import Webhooks

# Where alerts.yml sees the same, it uses the same limits.
FULL = 0.9  # of the memory that Redis may use, and of a disk
CLOCKS_DIFFER = 1.0  # seconds

About = Literal["session", "node", "webhook", "store"]


class Concern(Struct, frozen=True):
    """``about``: whose page tells more; ``id``: that session's or webhook's, or that
    node's or store's name. ``runbook``: the page here that says what to do."""

    about: About
    id: int | str
    words: str
    runbook: str


class Attention:
    def __init__(
        self, stores: Stores, overview: Overview, webhooks: Webhooks, media: Folder
    ) -> None:
        self._stores = stores
        self._overview = overview
        self._webhooks = webhooks
        self._media = media

    async def needed(
        self, nodes: Sequence[Node], sessions: Sequence[Session]
    ) -> list[Concern]:
        """The gravest first. ``sessions``: all that are open."""
        watched = sorted(sessions, key=lambda one: -one.viewers)
        contested = await self._overview.contested()
        return [
            *_of_stores(await self._stores.look()),
            *_of_nodes(nodes, {one.node for one in sessions}),
            *_of_keys(watched, contested),
            *map(_of_webhook, await self._webhooks.troubles()),
            *_of_folder(self._media, await self._media.seen()),
            *_of_sessions(watched),
        ]


def _concern(about: About, name: int | str, words: str, section: str) -> Concern:
    return Concern(about, name, words, guide.section(section))


def _of_stores(now: StoresNow) -> Iterator[Concern]:
    if not now.takes_writes:
        words = "Postgres takes no writes: nobody can go live."
        yield _concern("store", "postgres", words, "PostgresReadOnly")
    if not now.has_room:
        words = "Postgres's disk is full: soon nobody can go live, money is refused."
        yield _concern("store", "postgres", words, "PostgresFull")
    if abs(now.ahead) > CLOCKS_DIFFER:
        side = "ahead of" if now.ahead > 0 else "behind"
        words = f"Postgres's clock is {abs(now.ahead):.1f} s {side} ours: one is wrong."
        yield _concern("store", "postgres", words, "ClockWrong")
    if now.memory is None:
        words = "Redis does not answer: counts read zero, money is refused."
        yield _concern("store", "redis", words, "RedisAway")
        return
    if not now.redis_writes:
        words = "Redis takes no writes: counts read zero, money is refused."
        yield _concern("store", "redis", words, "RedisReadOnly")
    if now.memory.share > FULL:
        words = f"Redis uses {now.memory.share:.0%} of the memory that it may use."
        yield _concern("store", "redis", words, "RedisFull")


def _of_folder(one: Folder, disk: Disk | None) -> Iterator[Concern]:
    if disk is not None and disk.used > FULL:
        left = f"{disk.free / 2**30:.1f} GiB left"
        words = f"The disk of {one.path} is {disk.used:.0%} full: {left}."
        yield _concern("store", one.name, words, "DiskFull")


def _of_nodes(nodes: Sequence[Node], in_use: Set[str]) -> Iterator[Concern]:
    """``in_use``: where sessions are open. One that drains without any was given up."""
    for one in nodes:
        given_up = one.draining and one.name not in in_use
        if one.silent_since is None or given_up:
            continue
        because = f" ({one.silent_because})" if one.silent_because else ""
        since = f"{one.silent_since:%H:%M:%S} UTC"
        words = f"{one.name}: does not answer since {since}{because}. Is it running?"
        section = "NodeLost" if one.lost else "NodeSilent"
        yield _concern("node", one.name, words, section)


def _of_keys(
    sessions: Sequence[Session], contested: Mapping[str, int]
) -> Iterator[Concern]:
    for one in sessions:
        if times := contested.get(one.path):
            words = (
                f"{one.username}: encoders took the place of one another {times} times"
                " within 30 s. Somebody else may have the key: rotate it."
            )
            yield _concern("session", one.id, words, "KeyLeaked")


def _of_webhook(one: Trouble) -> Concern:
    name = f"Webhook {one.id} ({one.host})"
    if not one.enabled or one.failing_since is None:
        words = f"{name} was switched off. {one.because}"
        return _concern("webhook", one.id, words, "WebhookSwitchedOff")
    since = f"{one.failing_since:%H:%M:%S} UTC"
    words = f"{name} takes nothing since {since}: {one.because or 'no answer'}."
    return _concern("webhook", one.id, words, "WebhookFailing")


def _of_sessions(sessions: Sequence[Session]) -> Iterator[Concern]:
    for one in sessions:
        if one.reconnecting_until:
            until = f"{one.reconnecting_until:%H:%M:%S} UTC"
            words = f"{one.username}: encoder away; ends at {until} unless it is back."
            yield _concern("session", one.id, words, "IngestBad")
        for advice in one.ingest.advice if one.ingest else ():
            words = f"{one.username}: {advice}"
            yield _concern("session", one.id, words, "IngestBad")
