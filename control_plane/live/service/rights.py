"""Who may watch: a session's policy, and viewers who may not any more."""

from dataclasses import dataclass

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.events.log import append_session_event
from control_plane.live.model.rights import POLICIES, Policy
from control_plane.live.model.sessions import LiveSession
from control_plane.live.store import rights, sessions
from control_plane.people.store import users

LONGEST_VIEWER = 64  # characters


@dataclass(frozen=True, slots=True)
class Whom:
    """One of them; neither: everybody who has a token."""

    user_id: int = 0
    viewer: str = ""


class Rights:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def check(self, session: LiveSession, user_id: int, viewer: str) -> None:
        """Raises Refusal when they may not watch. ``user_id``: 0 for a guest."""
        denied, follows = await rights.standing(
            self._pool, session.id, session.user_id, user_id, viewer
        )
        if denied:
            raise Refusal("You can't watch this live stream.")
        if session.policy != "followers" or follows or user_id == session.user_id:
            return
        if not user_id:
            raise Refusal("Sign in: only followers may watch this live stream.")
        raise Refusal("Only followers may watch this live stream.")

    async def set_policy(self, host_id: int, session_id: int, policy: str) -> None:
        """From here on new tokens are needed. ``host_id``: 0 for an operator."""
        known = policy_of(policy)
        session = await self._own(host_id, session_id)
        async with self._pool.transaction() as connection:
            await set_policy(connection, session.id, known)

    async def deny(self, host_id: int, session_id: int, whom: Whom) -> None:
        """They may not watch this session any more. ``host_id``: as above."""
        session = await self._own(host_id, session_id)
        if len(whom.viewer) > LONGEST_VIEWER:
            raise BadInput("This is no viewer.")
        async with self._pool.transaction() as connection:
            if whom == Whom():
                await rights.take_back_tokens(connection, session.id)
            elif whom.user_id and await users.get(connection, whom.user_id) is None:
                raise Empty("There is no such user.")
            elif not await rights.deny(
                connection, session.id, whom.user_id or None, whom.viewer or None
            ):
                return
            data = {"user_id": whom.user_id, "viewer": whom.viewer}
            await append_session_event(connection, session.id, "viewer.denied", data)

    async def _own(self, host_id: int, session_id: int) -> LiveSession:
        session = await sessions.get(self._pool, session_id)
        if session is None or host_id not in (0, session.user_id):
            raise Empty
        return session


async def set_policy(connection: Connection, session_id: int, policy: Policy) -> None:
    if await rights.set_policy(connection, session_id, policy):
        data = {"policy": policy}
        await append_session_event(connection, session_id, "live.policy", data)


def policy_of(text: str) -> Policy:
    for policy in POLICIES:
        if policy == text:
            return policy
    raise BadInput(f"policy must be one of {', '.join(POLICIES)}.")
