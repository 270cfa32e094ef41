"""Who may watch: a session's policy, and viewers who may not any more."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.refusals import BadInput, Empty, Refusal
from control_plane.events.log import append_session_event
from control_plane.live.model.bans import NO_CLIENT, NOT_HERE, Client
from control_plane.live.model.rights import (
    POLICIES,
    Gone,
    Policy,
    Right,
    Seen,
    WatchTerms,
    needs_token,
)
from control_plane.live.model.sessions import LiveSession
from control_plane.live.model.tickets import MOST_COINS
from control_plane.live.service.cutting import Cutter, Owed
from control_plane.live.service.judging import Judging
from control_plane.live.store import owed_cuts, rights, sessions, tickets
from control_plane.people.store import users

LONGEST_VIEWER = 64  # characters
#: Of one session; `auth` reads all of them at each change of it.
MOST_DENIED = 5000
DENIED = "You can't watch this live stream."
SO_MANY = (
    f"{MOST_DENIED} are kept out already: choose another policy, or end everybody's"
    " tokens."
)


@dataclass(frozen=True, slots=True)
class Whom:
    """One of them; neither: everybody who has a token."""

    user_id: int = 0
    viewer: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """To be made after the commit that denied, which says that it is owed."""

    path: str
    owed: Owed


class Rights:
    def __init__(
        self,
        pool: Pool,
        cutter: Cutter,
        judging: Judging,
        *,
        tokens_by_default: bool,
    ) -> None:
        self._pool = pool
        self._cutter = cutter
        self._judging = judging
        self._tokens_by_default = tokens_by_default

    async def check(
        self, session: LiveSession, user_id: int, viewer: str, client: Client
    ) -> int:
        """The epoch of the token that they may have. Raises Refusal when they may not
        watch. ``user_id``: 0 for a guest."""
        right = await rights.right(
            self._pool, session.id, session.user_id, user_id, viewer, client
        )
        if right.banned:
            raise Refusal(NOT_HERE)
        if right.denied:
            raise Refusal(DENIED)
        if user_id != session.user_id:
            _check_policy(session, right, signed_in=user_id != 0)
            await self._use_ticket(session, user_id)
        return max(session.token_epoch, right.epoch)

    async def _use_ticket(self, session: LiveSession, user_id: int) -> None:
        """It may have been given back in this moment."""
        if (
            session.policy == "paid"
            and session.is_watchable
            and not await tickets.watched(self._pool, session.id, user_id)
        ):
            raise Refusal(_buy(session))

    async def check_not_denied(self, session: LiveSession, user_id: int) -> None:
        """Raises Refusal for whom no ticket would help."""
        right = await rights.right(
            self._pool, session.id, session.user_id, user_id, "", NO_CLIENT
        )
        if right.denied:
            raise Refusal(DENIED)

    async def end(self, session_id: int, whom: Whom, reason: Gone) -> None:
        """What let them watch is gone: so are their tokens, and they are cut soon:
        whoever asked waits for no node."""
        async with self._pool.transaction() as connection:
            cut = await take_back(connection, session_id, whom, reason)
        await self.cut(cut, wait=False)

    async def look_again(self, seen: Sequence[Seen]) -> None:
        """At those who watch: whose right is gone is cut."""
        await tickets.seen(self._pool, seen)
        gone = await rights.gone(self._pool, seen, self._needing_tokens())
        by_session: dict[int, list[tuple[Seen, Gone]]] = {}
        for one, reason in gone:
            by_session.setdefault(one.session_id, []).append((one, reason))
        for session_id, some in by_session.items():
            await self.cut(await self._take_back(session_id, some))

    def _needing_tokens(self) -> list[Policy]:
        default = self._tokens_by_default
        return [one for one in POLICIES if needs_token(one, by_default=default)]

    async def _take_back(
        self, session_id: int, gone: Sequence[tuple[Seen, Gone]]
    ) -> Cut | None:
        """Each account's once, however many of its viewers watch."""
        ended = dict.fromkeys((_whom(one, reason), reason) for one, reason in gone)
        async with self._pool.transaction() as connection:
            await sessions.lock(connection, [session_id])
            for whom, reason in ended:
                await _take_back(connection, session_id, whom, reason)
            return await owe(connection, session_id)

    async def set_policy(
        self, host_id: int, session_id: int, terms: WatchTerms
    ) -> None:
        """From here on new tokens are needed, and who watches without one is cut.
        ``host_id``: 0 for an operator."""
        session = await self._own(host_id, session_id)
        async with self._pool.transaction() as connection:
            changed = await set_policy(connection, session.id, terms)
            cut = await owe(connection, session.id)
            if changed:
                await record(
                    connection,
                    "session.policy",
                    f"session/{session.id}",
                    before={"policy": session.policy},
                    after={"policy": terms.policy, "ticket_price": terms.ticket_price},
                )
        await self.cut(cut, tokenless=True)

    async def deny(self, host_id: int, session_id: int, whom: Whom) -> None:
        """They may not watch this session any more, and who does is cut. ``host_id``:
        as above."""
        session = await self._own(host_id, session_id)
        if len(whom.viewer) > LONGEST_VIEWER:
            raise BadInput("This is no viewer.")
        async with self._pool.transaction() as connection:
            await sessions.lock(connection, [session.id])
            if whom == Whom():
                await rights.take_back_tokens(connection, session.id)
            elif whom.user_id and await users.get(connection, whom.user_id) is None:
                raise Empty("There is no such user.")
            elif await rights.count_denied(connection, session.id) >= MOST_DENIED:
                raise Refusal(SO_MANY)
            elif not await rights.deny(
                connection, session.id, whom.user_id or None, whom.viewer or None
            ):
                return
            await _say_denied(connection, session.id, whom, "")
            cut = await owe(connection, session.id)
            about, after = f"session/{session.id}", asdict(whom)
            await record(connection, "viewer.denied", about, after=after)
        await self.cut(cut, tokenless=True)

    async def cut(
        self, cut: Cut | None, *, tokenless: bool = False, wait: bool = True
    ) -> None:
        """None: nobody can be watching."""
        if cut is not None:
            chosen = await self._judging.outsiders([cut.path], tokenless=tokenless)
            await self._cutter.cut_viewers(cut.owed, chosen, wait=wait)

    async def _own(self, host_id: int, session_id: int) -> LiveSession:
        session = await sessions.get(self._pool, session_id)
        if session is None or host_id not in (0, session.user_id):
            raise Empty
        return session


def _check_policy(session: LiveSession, right: Right, *, signed_in: bool) -> None:
    if session.policy == "followers" and not right.follows:
        if signed_in:
            raise Refusal("Only followers may watch this live stream.")
        raise Refusal("Sign in: only followers may watch this live stream.")
    if session.policy == "paid" and not right.has_ticket:
        raise Refusal(_buy(session) if signed_in else f"Sign in. {_buy(session)}")


def _buy(session: LiveSession) -> str:
    return f"Buy a ticket for {session.ticket_price} coins to watch this live stream."


def _whom(one: Seen, reason: Gone) -> Whom:
    """Of who signed out, what that sign-in got: another one may have begun."""
    if reason == "signed_out":
        return Whom(viewer=one.viewer)
    return Whom(one.user_id)


async def take_back(
    connection: Connection,
    session_id: int,
    whom: Whom,
    reason: Gone,
    *,
    came: bool = True,
) -> Cut | None:
    """Their tokens count no more; they may ask for others. ``came``: to a node; of who
    did not there is nobody to cut."""
    await sessions.lock(connection, [session_id])  # first, as whoever says more
    await _take_back(connection, session_id, whom, reason)
    return await owe(connection, session_id) if came else None


async def _take_back(
    connection: Connection, session_id: int, whom: Whom, reason: Gone
) -> None:
    await rights.take_back(
        connection, session_id, whom.user_id or None, whom.viewer or None
    )
    await _say_denied(connection, session_id, whom, reason)


async def owe(connection: Connection, session_id: int) -> Cut | None:
    """The lock of the session's row is held: it stays at its node until the commit."""
    session = await sessions.get(connection, session_id)
    if session is None or not session.is_watchable:
        return None
    return Cut(session.path, await owed_cuts.owe(connection, session.node))


async def _say_denied(
    connection: Connection, session_id: int, whom: Whom, reason: str
) -> None:
    data = {"user_id": whom.user_id, "viewer": whom.viewer, "reason": reason}
    await append_session_event(connection, session_id, "viewer.denied", data)


async def set_policy(
    connection: Connection, session_id: int, terms: WatchTerms
) -> bool:
    """False: it was so already."""
    policy, price = terms.policy, terms.ticket_price
    changed = await rights.set_policy(connection, session_id, policy, price)
    if changed:
        data = {"policy": policy, "ticket_price": price}
        await append_session_event(connection, session_id, "live.policy", data)
    return changed


def watch_terms(policy: str, ticket_price: int) -> WatchTerms:
    """Raises BadInput."""
    for known in POLICIES:
        if known == policy:
            break
    else:
        raise BadInput(f"policy must be one of {', '.join(POLICIES)}.")
    if (known == "paid") != (ticket_price != 0):
        raise BadInput("ticket_price belongs to the policy paid, which needs it.")
    if not 0 <= ticket_price <= MOST_COINS:
        raise BadInput(f"ticket_price must be 1 to {MOST_COINS} coins.")
    return WatchTerms(known, ticket_price)
