"""Following, blocking, reporting and searching."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import web

from control_plane.api import shapes
from control_plane.api.own import check_self
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.people.model.social import Blocked, Followed
from control_plane.people.model.users import Profile
from control_plane.people.service.profiles import Profiles
from control_plane.people.service.social import Social
from control_plane.web.body import Body
from control_plane.web.dispatch import Call, Endpoint
from control_plane.web.envelope import answer
from control_plane.web.snapshots import Json, when

UNBLOCKED = "deleted"  # both apps compare it
MOST_USERS = 100

T = TypeVar("T")


def refused_account(refusal: Refusal) -> web.Response:
    """iOS decodes an account from every answer of followUser."""
    nobody = shapes.account(shapes.placeholder(0), 0)
    return answer(nobody, refusal.code, {"error": refusal.sentence})


class SocialApi:
    def __init__(self, social: Social, profiles: Profiles) -> None:
        self._social = social
        self._profiles = profiles

    def endpoints(self) -> dict[str, Endpoint]:
        return {
            "followUser": Endpoint(
                self.follow_user, refused=refused_account, limit="writes"
            ),
            "showFollowers": Endpoint(self.show_followers, "optional"),
            "showFollowing": Endpoint(self.show_following, "optional"),
            "blockUser": Endpoint(self.block_user, limit="writes"),
            "showBlockedUsers": Endpoint(self.show_blocked_users),
            "showReportReasons": Endpoint(self.show_report_reasons, "optional"),
            "reportUser": Endpoint(self.report_user, limit="writes"),
            "search": Endpoint(self.search, "optional", limit="search"),
            "showUsers": Endpoint(self.show_users, "optional"),
        }

    async def follow_user(self, call: Call) -> web.Response:
        check_self(call, "sender_id")
        receiver = _someone(call.body, "receiver_id")
        profile = await self._social.toggle_follow(call.me.id, receiver)
        return answer(shapes.account(shapes.profile(profile, call.me.id), receiver))

    async def show_followers(self, call: Call) -> web.Response:
        viewer, whose, page = viewer_id(call), _whose(call), call.body.page()
        found = await self._social.followers(viewer, whose, page)
        return _listed(found, lambda one: _followed(one, viewer, "FollowerList"))

    async def show_following(self, call: Call) -> web.Response:
        viewer, whose, page = viewer_id(call), _whose(call), call.body.page()
        found = await self._social.following(viewer, whose, page)
        return _listed(found, lambda one: _followed(one, viewer, "FollowingList"))

    async def block_user(self, call: Call) -> web.Response:
        """Lifting a block answers 201: both apps depend on it."""
        check_self(call, "user_id")
        other = _someone(call.body, "block_user_id")
        blocked = await self._social.toggle_block(call.me.id, other)
        if blocked is None:
            return answer(UNBLOCKED, 201)
        return answer(_blocked(blocked))

    async def show_blocked_users(self, call: Call) -> web.Response:
        found = await self._social.blocked(call.me.id, call.body.page())
        return _listed(found, _blocked)

    async def show_report_reasons(self, _call: Call) -> web.Response:
        found = await self._social.report_reasons()
        return answer(
            [
                {
                    "ReportReason": {
                        "id": reason.id,
                        "title": reason.title,
                        "created": when(reason.created_at),
                    }
                }
                for reason in found
            ]
        )

    async def report_user(self, call: Call) -> web.Response:
        body = call.body
        check_self(call, "user_id")
        reported = await self._social.report(
            call.me.id,
            _someone(body, "report_user_id"),
            body.id("report_reason_id"),
            body.text("description", longest=2000, lines=True),
        )
        report = reported.report
        shape: Json = {
            "id": report.id,
            "user_id": report.user_id,
            "report_user_id": report.report_user_id,
            "report_reason_id": report.report_reason_id,
            "description": report.description,
            "created": when(report.created_at),
        }
        about = shapes.profile(reported.about, call.me.id)
        return answer({"ReportUser": shape, "User": about})

    async def search(self, call: Call) -> web.Response:
        """Users only: videos, sounds and hashtags have nothing to be found yet."""
        body, viewer = call.body, viewer_id(call)
        words = body.text("keyword", longest=100)
        if body.text("type", "user", longest=30) != "user" or not words:
            raise Empty
        found = await self._profiles.search(viewer, words, body.page())
        return _listed(found, lambda one: {"User": shapes.profile(one, viewer)})

    async def show_users(self, call: Call) -> web.Response:
        """As many as were asked for, in that order: Android matches them by index."""
        ids, viewer = _user_ids(call.body), viewer_id(call)
        found = await self._profiles.several(viewer, ids)
        return _listed(ids, lambda one: {"User": _or_nobody(found, one, viewer)})


def viewer_id(call: Call) -> int:
    """0: a guest."""
    return 0 if call.user is None else call.user.id


def _someone(body: Body, field: str) -> int:
    user_id = body.id(field)
    if user_id == 0:
        raise BadInput(f"{field} is missing.")
    return user_id


def _whose(call: Call) -> int:
    body = call.body
    user_id = body.id("other_user_id", 0) or body.id("user_id", 0) or viewer_id(call)
    if not user_id:
        raise Empty
    return user_id


def _listed(found: Sequence[T], shape: Callable[[T], Json]) -> web.Response:
    """An empty list is 201 for both apps."""
    if not found:
        raise Empty
    return answer([shape(one) for one in found])


def _followed(of: Followed, viewer: int, older_name: str) -> Json:
    """``older_name``: where the older apps look for the user."""
    user = shapes.profile(of.profile, viewer)
    follow = of.follow
    return {
        "User": user,
        older_name: user,
        "Follower": {
            "id": follow.id,
            "sender_id": follow.follower_id,
            "receiver_id": follow.followed_id,
            "created": when(follow.created_at),
        },
    }


def _blocked(of: Blocked) -> Json:
    block = of.block
    return {
        "BlockUser": {
            "id": block.id,
            "user_id": block.user_id,
            "block_user_id": block.block_user_id,
            "created": when(block.created_at),
        },
        "BlockedUser": shapes.profile(of.profile, block.user_id),
    }


def _or_nobody(found: dict[int, Profile], user_id: int, viewer: int) -> Json:
    profile = found.get(user_id)
    if profile is None or profile.user.gone:
        return shapes.placeholder(user_id)
    return shapes.profile(profile, viewer)


def _user_ids(body: Body) -> list[int]:
    """From ``[{"user_id": "5"}, …]``."""
    users = body.fields.get("users")
    if not isinstance(users, list):
        raise BadInput("users must be a list.")
    if len(users) > MOST_USERS:
        raise BadInput(f"users has at most {MOST_USERS} lines.")
    lines = [Body(one) for one in users if isinstance(one, dict)]
    if len(lines) != len(users):
        raise BadInput("users must be a list of objects with a user_id.")
    return [line.id("user_id") for line in lines]
