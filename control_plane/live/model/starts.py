"""What a host says when a broadcast starts, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from control_plane.base.refusals import BadInput
from control_plane.live.model.keys import NewKey
from control_plane.live.model.nodes import Node
from control_plane.live.model.rights import WatchTerms
from control_plane.live.model.sessions import LiveSession

LONGEST_TITLE = 200  # characters
LONGEST_COVER = 2000


@dataclass(frozen=True, slots=True)
class Start:
    """What the host may say about a broadcast."""

    title: str = ""
    cover: str = ""
    client_started_at: str = ""
    reconnect_window: int | None = None  # seconds
    watch: WatchTerms | None = None  # None: as it is
    device: str = ""  # the mark of the one that asks
    region: str = ""  # where a node is wanted; empty: anywhere

    def check(self) -> None:
        """Raises BadInput."""
        if len(self.title) > LONGEST_TITLE:
            raise BadInput(f"The title has at most {LONGEST_TITLE} characters.")
        if len(self.cover) > LONGEST_COVER or (
            self.cover and not self.cover.startswith(("http://", "https://"))
        ):
            raise BadInput("The cover must be an http or https address.")
        window = self.reconnect_window
        if window is not None and not 0 <= window <= 1800:
            raise BadInput("reconnect_window must be 0 to 1800 seconds.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One user's start; ``key``: what is stored of the new one."""

    user_id: int
    start: Start
    key: NewKey


@dataclass(frozen=True, slots=True)
class Opened:
    session: LiveSession
    node: Node
    key_id: int
    key_expires_at: datetime
    retired: Sequence[int]  # ids of the keys that made room
    other_title: bool  # than it had before
    other_cover: bool
