"""Making, checking and revoking operators' tokens."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from control_plane.base.database import Pool
from control_plane.base.faults import Rejected, Taken
from control_plane.base.refusals import NoToken, Refusal
from control_plane.operators import store
from control_plane.operators.model import PREFIX, OperatorToken, Scope, hash_token


class OutOfScope(Refusal):
    """This token is not for that."""


class Tokens:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(
        self, name: str, scopes: Sequence[Scope], valid_for: timedelta | None
    ) -> str:
        """The token, shown this once."""
        token = PREFIX + secrets.token_urlsafe(32)
        try:
            await store.create(self._pool, name, hash_token(token), scopes, valid_for)
        except Taken:
            raise Refusal("There is a token of this name: revoke it first.") from None
        except Rejected:
            raise Refusal("A token's name has 1 to 100 characters.") from None
        return token

    async def listing(self) -> list[OperatorToken]:
        return await store.listing(self._pool)

    async def revoke(self, name: str) -> None:
        if not await store.revoke(self._pool, name):
            raise Refusal("There is no such token, or not any more.")

    async def check(self, token: str, scope: Scope) -> None:
        """Raises NoToken or OutOfScope."""
        scopes = await store.scopes_of(self._pool, hash_token(token))
        if scopes is None:
            raise NoToken("This needs an operator's token that is valid.")
        if scope not in scopes:
            raise OutOfScope(f"This needs a token with the scope {scope}.")
