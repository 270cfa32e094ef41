"""Videos of the feed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from control_plane.people.model.users import Profile

Feed = Literal["related", "following"]


@dataclass(frozen=True, slots=True)
class Video:
    id: int
    user_id: int
    description: str
    video_url: str
    thumbnail_url: str
    duration: float  # seconds
    width: int
    height: int
    privacy_type: str
    allow_comments: bool
    allow_duet: bool
    view_count: int
    like_count: int
    comment_count: int
    favourite_count: int
    share_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewVideo:
    user_id: int
    description: str
    video_url: str
    thumbnail_url: str
    duration: float  # seconds
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Item:
    """A video in a list, with its author, as one viewer sees them."""

    video: Video
    liked: bool
    author: Profile


@dataclass(frozen=True, slots=True)
class Like:
    id: int
    video_id: int
    user_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A feed as it was when its first page was asked for."""

    at: datetime
    newest: int
