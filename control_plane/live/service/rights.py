"""Who may watch: a session's policy, and viewers who may not any more."""

import contextlib
from dataclasses import dataclass

from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, ViewerToken, read_viewer
from control_plane.events.log import append_session_event
from control_plane.live.model.credentials import from_query
from control_plane.live.model.nodes import Reader
from control_plane.live.model.permissions import may_read
from control_plane.live.model.rights import POLICIES, Policy
from control_plane.live.model.sessions import LiveSession
from control_plane.live.service.cutting import Cutter
from control_plane.live.store import keys, rights, sessions
from control_plane.people.store import users

LONGEST_VIEWER = 64  # characters


@dataclass(frozen=True, slots=True)
class Whom:
    """One of them; neither: everybody who has a token."""

    user_id: int = 0
    viewer: str = ""


class Rights:
    def __init__(
        self,
        pool: Pool,
        cutter: Cutter,
        *,
        viewer_key: Derived,
        tokens_by_default: bool,
    ) -> None:
        self._pool = pool
        self._cutter = cutter
        self._viewer_key = viewer_key
        self._tokens_by_default = tokens_by_default

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
        """From here on new tokens are needed, and who watches without one is cut.
        ``host_id``: 0 for an operator."""
        known = policy_of(policy)
        session = await self._own(host_id, session_id)
        async with self._pool.transaction() as connection:
            await set_policy(connection, session.id, known)
        await self._cut(session)

    async def deny(self, host_id: int, session_id: int, whom: Whom) -> None:
        """They may not watch this session any more, and who does is cut. ``host_id``:
        as above."""
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
        await self._cut(session)

    async def _cut(self, session: LiveSession) -> None:
        """Whoever watches and would not be let in now."""
        path = session.path
        permission = (await keys.permissions(self._pool, [path])).get(path)
        if permission is None or not session.is_watchable:
            return

        def may_not(reader: Reader) -> bool:
            if reader.path != path:
                return False
            token = self._token(reader)
            verdict = may_read(
                permission, token, tokens_by_default=self._tokens_by_default
            )
            return verdict != "ok"

        await self._cutter.cut_viewers(session.node, may_not)

    def _token(self, reader: Reader) -> ViewerToken | None:
        for text in from_query(reader.query):
            with contextlib.suppress(BadToken):
                token = read_viewer(self._viewer_key, text, None)
                if token.path == reader.path:
                    return token
        return None

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
