"""Sign-in and sign-out, and who a token belongs to."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from control_plane.audit.log import record
from control_plane.base.batches import Reads
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Taken
from control_plane.base.refusals import Empty, NoToken, Refusal, SignedOut
from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, UserToken, read_user, sign_user
from control_plane.events.log import append_user_event
from control_plane.people.model.users import NewUser, User
from control_plane.people.store import sign_ins, users

USERNAME = re.compile(r"^[A-Za-z0-9_.-]{2,30}$")
LONGEST_TOKEN = 512  # characters
BANNED = "You have been blocked by the admin. Contact support"
NOT_OURS = "This phone is signed in with its provider only. Please sign out there."
DAY = 86_400  # seconds
MOST_DROPPED = 100  # ended sign-ins, each time that one is added


@dataclass(frozen=True, slots=True)
class Identity:
    """How somebody signs in; ``verified`` once the provider itself has said so."""

    provider: str
    subject: str
    verified: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    token: str


class Accounts:
    def __init__(
        self,
        pool: Pool,
        token_key: Derived,
        *,
        token_days: int,
        accept_provider_uid: bool,
    ) -> None:
        self._pool = pool
        self._token_key = token_key
        self._token_seconds = token_days * DAY
        self._accept_provider_uid = accept_provider_uid
        self._callers = Reads(partial(users.of_tokens, pool))

    async def sign_in(self, identities: Sequence[Identity], new: NewUser) -> SignedIn:
        """The account of the first of these that has one, or a new one. All that have
        none lead there from now on; no two accounts ever become one."""
        async with self._pool.transaction() as connection:
            owners = await _owners(connection, identities)
            user = _first(owners)
            if user is not None and not await users.hold(connection, user.id):
                owners = await _owners(connection, identities)
                user = _first(owners)
            if user is None:
                user = await _create(connection, new)
            for identity, owner in owners.items():
                await _lead(connection, identity, owner, user)
            await users.set_device_token(connection, user.id, new.device_token)
        return self._signed_in(user)

    async def open(self, username: str) -> User:
        """An account that nobody signs in to."""
        async with self._pool.transaction() as connection:
            user = await _create(connection, NewUser(username))
            await record(connection, "user.created", f"user/{user.id}")
        return user

    async def known(self, identity: Identity) -> SignedIn:
        """Raises Empty where there is no account yet: the apps then sign up."""
        user = await users.by_identity(self._pool, identity.provider, identity.subject)
        if user is None:
            raise Empty
        return self._signed_in(user)

    def _signed_in(self, user: User) -> SignedIn:
        if user.banned:
            raise Refusal(BANNED)
        return SignedIn(user, self.token(user))

    async def sign_out(self, user: User, token: str) -> None:
        """Ends the sign-in that this token comes from, and no other."""
        try:
            claims = read_user(self._token_key, token, time.time())
        except BadToken:
            raise Refusal(NOT_OURS) from None
        # Tokens may have lasted longer before, and what this one was renewed to too.
        lasted = claims.expires_at - claims.issued_at
        remember = max(lasted, self._token_seconds)
        async with self._pool.transaction() as connection:
            await sign_ins.end(connection, claims.sign_in, user.id, remember)
            await sign_ins.drop_expired(connection, MOST_DROPPED)
            await users.clear_device_token(connection, user.id)
            await append_user_event(
                connection, user.id, "user.signed_out", {"everywhere": False}
            )

    async def sign_out_everywhere(self, user_id: int) -> None:
        """Raises Empty for whoever does not exist, or not any more."""
        async with self._pool.transaction() as connection:
            await sign_ins.forget(connection, user_id)
            if not await users.raise_token_version(connection, user_id):
                raise Empty("There is no such user.")
            await append_user_event(
                connection, user_id, "user.signed_out", {"everywhere": True}
            )
            await record(connection, "user.signed_out", f"user/{user_id}")

    def token(self, user: User, sign_in: str = "") -> str:
        """``sign_in``: the one it goes on from; "" begins one."""
        now = int(time.time())
        expires_at = now + self._token_seconds
        sign_in = sign_in or secrets.token_urlsafe(9)
        return sign_user(
            self._token_key,
            UserToken(user.id, user.token_version, now, expires_at, sign_in),
        )

    def renewed(self, user: User, token: str) -> str:
        """The same token, or a new one when it is more than a day old."""
        try:
            claims = read_user(self._token_key, token, time.time())
        except BadToken:
            return token  # a provider's uid: the app keeps sending that
        if time.time() - claims.issued_at < DAY:
            return token
        return self.token(user, claims.sign_in)

    def is_ours(self, token: str) -> bool:
        """Whether we signed it, at whatever time."""
        try:
            read_user(self._token_key, token, now=0.0)
        except BadToken:
            return False
        return True

    async def who(self, token: str) -> User:
        """Whose token this is. Raises NoToken for none, SignedOut for one that
        does not count any more."""
        if not token or len(token) > LONGEST_TOKEN or not token.isprintable():
            raise NoToken
        try:
            claims = read_user(self._token_key, token, time.time())
        except BadToken:
            return await self._by_provider_uid(token)
        user = await self._callers.get((claims.user_id, claims.sign_in))
        if user is None:
            raise SignedOut
        # A ban raises the version too; the apps must hear that it is one.
        if _usable(user).token_version != claims.version:
            raise SignedOut
        return user

    async def _by_provider_uid(self, token: str) -> User:
        if not self._accept_provider_uid:
            raise SignedOut
        user = await users.by_identity(self._pool, "firebase", token)
        if user is None:
            raise SignedOut
        return _usable(user)


async def _owners(
    connection: Connection, identities: Sequence[Identity]
) -> dict[Identity, User | None]:
    """Whose they are, held until the transaction ends; in an order that two sign-ups
    share."""
    for one in sorted(identities, key=lambda one: (one.provider, one.subject)):
        await users.lock_identity(connection, one.provider, one.subject)
    return {
        one: await users.by_identity(connection, one.provider, one.subject)
        for one in identities
    }


def _first(owners: Mapping[Identity, User | None]) -> User | None:
    return next((user for user in owners.values() if user is not None), None)


async def _lead(
    connection: Connection, identity: Identity, owner: User | None, user: User
) -> None:
    provider, subject = identity.provider, identity.subject
    if owner is None:
        await users.add_identity(
            connection, provider, subject, user.id, identity.verified
        )
    elif owner.id == user.id and identity.verified:
        await users.verify_identity(connection, provider, subject)


async def _create(connection: Connection, new: NewUser) -> User:
    if new.username and not USERNAME.match(new.username):
        raise Refusal("invalid username")
    try:
        async with connection.transaction():
            user_id = await users.create(connection, _named(new))
    except Taken:
        raise Refusal("This username isn't available") from None
    user = await users.get(connection, user_id)
    if user is None:
        raise LookupError(user_id)
    return user


def _named(new: NewUser) -> NewUser:
    """The apps show a name everywhere; AND-25 sends none until later."""
    if new.username:
        return new
    return replace(new, username=f"user_{secrets.token_hex(4)}")


def _usable(user: User) -> User:
    if user.deleted_at is not None:
        raise SignedOut
    if user.banned:
        raise SignedOut(BANNED)
    return user
