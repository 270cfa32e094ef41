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
    verified: bool
    token_version: int
    banned_at: datetime | None
    ban_reason: str
    deleted_at: datetime | None
    created_at: datetime

    @property
    def banned(self) -> bool:
        return self.banned_at is not None


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
