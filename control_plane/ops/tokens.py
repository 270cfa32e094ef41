"""``/v1/tokens``: who may ask. They are made beside the database only: whoever could
make one with a token of their own would be two operators."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from control_plane.operators.model import OperatorToken
from control_plane.operators.service import Tokens
from control_plane.ops.nodes import OneNode as Named
from control_plane.ops.routes import (
    Because,
    Call,
    Nothing,
    Paged,
    Route,
    id_in,
    page_of,
)


class Token(Struct, frozen=True, kw_only=True):
    name: str
    scopes: Sequence[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


class TokenPage(Struct, frozen=True):
    tokens: list[Token]
    next: str | None


class TokensApi:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/tokens", "admin", self.listing),
            Route("POST", "/v1/tokens/{name}/revoke", "admin", self.revoke),
        ]

    async def listing(self, call: Call[Paged, Nothing]) -> TokenPage:
        """List tokens, without themselves, the oldest first."""
        asked, after = call.params, id_in(call.params.after) or 0
        found = sorted(await self._tokens.listing(), key=lambda one: one.id)
        page = [one for one in found if one.id > after][: asked.limit + 1]
        following = page_of(page, asked.limit, lambda one: one.id)
        return TokenPage([_row(one) for one in page], following)

    async def revoke(self, call: Call[Named, Because]) -> None:
        """A token counts no more, from now on."""
        await self._tokens.revoke(call.params.name)


def _row(one: OperatorToken) -> Token:
    return Token(
        name=one.name,
        scopes=one.scopes,
        created_at=one.created_at,
        last_used_at=one.last_used_at,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
    )
