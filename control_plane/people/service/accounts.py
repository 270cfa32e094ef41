"""Sign-in, and who a token belongs to."""

import re
import secrets as random
import time
from dataclasses import dataclass, replace

from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Taken
from control_plane.base.refusals import NoToken, Refusal, SignedOut
from control_plane.base.secrets import Derived
from control_plane.base.tokens import BadToken, UserToken, read_user, sign_user
from control_plane.people.model.users import NewUser, User
from control_plane.people.store import users

USERNAME = re.compile(r"^[A-Za-z0-9_.-]{2,30}$")
LONGEST_TOKEN = 512  # characters
BANNED = "You have been blocked by the admin. Contact support"
DAY = 86_400  # seconds


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

    async def sign_in(self, identity: Identity, new: NewUser) -> SignedIn:
        """The account of this identity; made when there is none."""
        async with self._pool.transaction() as connection:
            await users.lock_identity(connection, identity.provider, identity.subject)
            user = await users.by_identity(
                connection, identity.provider, identity.subject
            )
            if user is None:
                user = await self._create(connection, identity, new)
            elif identity.verified:
                await users.verify_identity(
                    connection, identity.provider, identity.subject
                )
            await users.set_device_token(connection, user.id, new.device_token)
        if user.banned:
            raise Refusal(BANNED)
        return SignedIn(user, self.token(user))

    def token(self, user: User) -> str:
        now = int(time.time())
        return sign_user(
            self._token_key,
            UserToken(user.id, user.token_version, now, now + self._token_seconds),
        )

    def renewed(self, user: User, token: str) -> str:
        """The same token, or a new one when it is more than a day old."""
        try:
            issued_at = read_user(self._token_key, token, time.time()).issued_at
        except BadToken:
            return token  # a provider's uid: the app keeps sending that
        return token if time.time() - issued_at < DAY else self.token(user)

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
        user = await users.get(self._pool, claims.user_id)
        if user is None or user.token_version != claims.version:
            raise SignedOut
        return _usable(user)

    async def _by_provider_uid(self, token: str) -> User:
        if not self._accept_provider_uid:
            raise SignedOut
        user = await users.by_identity(self._pool, "firebase", token)
        if user is None:
            raise SignedOut
        return _usable(user)

    async def _create(
        self, connection: Connection, identity: Identity, new: NewUser
    ) -> User:
        if new.username and not USERNAME.match(new.username):
            raise Refusal("invalid username")
        try:
            async with connection.transaction():
                user_id = await users.create(connection, _named(new))
        except Taken:
            raise Refusal("This username isn't available") from None
        await users.add_identity(
            connection, identity.provider, identity.subject, user_id, identity.verified
        )
        user = await users.get(connection, user_id)
        if user is None:
            raise LookupError(user_id)
        return user


def _named(new: NewUser) -> NewUser:
    """The apps show a name everywhere; AND-25 sends none until later."""
    if new.username:
        return new
    return replace(new, username=f"user_{random.token_hex(4)}")


def _usable(user: User) -> User:
    if user.deleted_at is not None:
        raise SignedOut
    if user.banned:
        raise SignedOut(BANNED)
    return user
