"""Operators' browsers: signed in with a token, which they do not keep."""

import secrets
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.refusals import NoToken
from control_plane.operators import store
from control_plane.operators.model import OperatorToken, Scope, hash_token
from control_plane.operators.service import Tokens, within

IDLE = timedelta(minutes=30)  # without a sign of a person


class Sessions:
    def __init__(self, pool: Pool, tokens: Tokens) -> None:
        self._pool = pool
        self._tokens = tokens

    async def begin(self, token: str) -> tuple[str, OperatorToken]:
        """The session's secret, shown this once. Raises NoToken."""
        found = await self._tokens.check(token, None)
        secret = secrets.token_urlsafe(32)
        await store.begin_session(self._pool, hash_token(secret), found.id, IDLE)
        return secret, found

    async def check(self, secret: str, scope: Scope | None) -> OperatorToken:
        """As ``Tokens.check``; it ends with its token."""
        found = await store.session(self._pool, hash_token(secret), IDLE)
        if found is None:
            raise NoToken("Please sign in again.")
        return within(found, scope)

    async def use(self, secret: str) -> None:
        """Somebody is there."""
        await store.use_session(self._pool, hash_token(secret))

    async def end(self, secret: str) -> None:
        await store.end_session(self._pool, hash_token(secret))
