"""Who follows, blocks and reports whom."""

from dataclasses import dataclass
from datetime import datetime

from control_plane.people.model.users import Profile


@dataclass(frozen=True, slots=True)
class Follow:
    id: int
    follower_id: int
    followed_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """One line of a list of followers, or of those whom somebody follows."""

    follow: Follow
    profile: Profile


@dataclass(frozen=True, slots=True)
class Block:
    id: int
    user_id: int
    block_user_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Blocked:
    block: Block
    profile: Profile


@dataclass(frozen=True, slots=True)
class ReportReason:
    id: int
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    user_id: int
    report_user_id: int
    report_reason_id: int
    description: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    report: Report
    about: Profile


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    key: str
    created_at: datetime
