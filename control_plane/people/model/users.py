"""Accounts of the app."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    """A row of ``users``, without what the apps never see."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    phone: str
    bio: str
    website: str
    gender: str
    dob: str
    profile_pic: str
    profile_gif: str
    device_token: str
    private: bool
    profile_view: bool
    verified: bool
    token_version: int
    banned_at: datetime | None
    ban_reason: str
    deleted_at: datetime | None
    created_at: datetime

    @property
    def banned(self) -> bool:
        return self.banned_at is not None

    @property
    def gone(self) -> bool:
        """Nobody is to see this account."""
        return self.banned_at is not None or self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a sign-up may bring; everything may be empty."""

    username: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    dob: str = ""
    profile_pic: str = ""
    device_token: str = ""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """None leaves a field as it is."""

    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    bio: str | None = None
    website: str | None = None
    gender: str | None = None
    dob: str | None = None
    profile_pic: str | None = None
    profile_gif: str | None = None
    private: bool | None = None
    profile_view: bool | None = None
    device_token: str | None = None
    device: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a user has, or a change of it."""

    followers: int = 0
    following: int = 0
    likes: int = 0
    videos: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """A user as one viewer sees them. ``by_me`` and ``of_me`` are about the viewer;
    a guest's are all false."""

    user: User
    followers: int
    following: int
    likes: int
    videos: int
    followed_by_me: bool = False
    follower_of_me: bool = False
    blocked_by_me: bool = False
    blocker_of_me: bool = False
