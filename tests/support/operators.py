"""Asking ``/v1`` as an operator."""

from datetime import timedelta
from typing import Any

from control_plane.base.database import Pool
from control_plane.operators.model import Scope
from control_plane.operators.service import Tokens
from tests.support.client import App

Json = dict[str, Any]


async def token(pool: Pool, scope: Scope, days: float = 1.0, name: str = "") -> str:
    called = name or f"{scope} {days}"
    return await Tokens(pool).create(called, [scope], timedelta(days=days))


async def ask(
    app: App, method: str, path: str, given: str = "", **more: Any
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    headers |= more.pop("headers", {})
    url = app.operators + path
    async with app.http.request(method, url, headers=headers, **more) as response:
        if response.content_type == "text/event-stream":
            return response.status, {}
        return response.status, await response.json() if response.status != 204 else {}
