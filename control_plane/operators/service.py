"""Making, checking and revoking operators' tokens."""

import contextlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from control_plane.audit.log import record
from control_plane.base.database import Connection, Pool
from control_plane.base.faults import Away, Rejected, Taken
from control_plane.base.refusals import NoToken, Refusal
from control_plane.operators import store
from control_plane.operators.model import (
    LONGEST,
    PREFIX,
    OperatorToken,
    Scope,
    hash_token,
)

NOTED_EVERY = timedelta(minutes=1)


class OutOfScope(Refusal):
    """This token is not for that."""


class Tokens:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(
        self,
        name: str,
        scopes: Sequence[Scope],
        valid_for: timedelta,
        *,
        replace: bool = False,
    ) -> str:
        """The token, shown this once. ``replace``: one of this name is revoked."""
        if not timedelta(0) <= valid_for <= LONGEST:
            raise Refusal(f"A token counts for at most {LONGEST.days} days.")
        token = PREFIX + secrets.token_urlsafe(32)
        try:
            async with self._pool.transaction() as connection:
                if replace:
                    await _revoke(connection, name)
                await store.create(
                    connection, name, hash_token(token), scopes, valid_for
                )
                after = {"scopes": list(scopes), "days": valid_for / timedelta(days=1)}
                await record(connection, "token.created", f"token/{name}", after=after)
        except Taken:
            raise Refusal("There is a token of this name: revoke it first.") from None
        except Rejected:
            raise Refusal("A token's name has 1 to 100 plain characters.") from None
        return token

    async def listing(self) -> list[OperatorToken]:
        return await store.listing(self._pool)

    async def revoke(self, name: str) -> None:
        async with self._pool.transaction() as connection:
            if not await _revoke(connection, name):
                raise Refusal("There is no such token, or not any more.")

    async def check(self, token: str, scope: Scope | None) -> OperatorToken:
        """``scope`` None: any will do. Raises NoToken or OutOfScope."""
        found = await store.find(self._pool, hash_token(token))
        if found is None:
            raise NoToken("This needs an operator's token that is valid.")
        await self._note_use(found)
        return within(found, scope)

    async def _note_use(self, token: OperatorToken) -> None:
        """As often as a person wants to know it."""
        before = token.last_used_at
        if before is None or datetime.now(UTC) - before > NOTED_EVERY:
            with contextlib.suppress(Away):
                await store.note_use(self._pool, token.id)


def within(token: OperatorToken, scope: Scope | None) -> OperatorToken:
    """Raises OutOfScope."""
    if scope is not None and scope not in token.scopes:
        raise OutOfScope(f"This needs a token with the scope {scope}.")
    return token


async def _revoke(connection: Connection, name: str) -> bool:
    revoked = await store.revoke(connection, name)
    if revoked:
        await record(connection, "token.revoked", f"token/{name}")
    return revoked
