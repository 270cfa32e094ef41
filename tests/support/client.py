"""The one client of `/api/*` in the tests: an app, and who is signed in."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import aiohttp

from control_plane.web.dispatch import endpoint_name
from tests.api.app_shapes.check import misfits

Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"


class App:
    """One phone: ``token`` is whoever is signed in."""

    def __init__(
        self, http: aiohttp.ClientSession, base: str, operators: str = ""
    ) -> None:
        self.http = http
        self.base = base
        self.operators = operators

    async def raw(
        self,
        name: str,
        data: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The answer, which is HTTP 200 and fits both apps whatever was sent."""
        url = name if name.startswith("/") else f"/api/{name}"
        async with self.http.post(
            self.base + url, data=data, headers=headers
        ) as response:
            assert response.status == 200, (name, response.status)
            assert response.content_type == "application/json"
            answer: Json = await response.json()
        wrong = misfits(endpoint_name(unquote(url)), answer)
        assert not wrong, "\n".join(wrong[:20])
        return answer

    async def call(self, name: str, body: object = None, token: str = "") -> Json:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Auth-Token"] = token
        data = None if body is None else json.dumps(body)
        return await self.raw(name, data, headers)

    async def ask(self, name: str, body: object = None, token: str = "") -> Any:
        """The ``msg`` of an answer that must be good."""
        answer = await self.call(name, body, token)
        assert answer["code"] == 200, (name, answer)
        return answer["msg"]

    async def refused(self, name: str, body: object = None, token: str = "") -> Json:
        """An answer that must not be good."""
        answer = await self.call(name, body, token)
        assert answer["code"] != 200, (name, answer)
        return answer

    async def sign_in(self, name: str, **more: object) -> "Account":
        msg = await self.ask(
            "registerUser",
            {"social": "google", "social_id": name, "username": name, **more},
        )
        user = msg["User"]
        return Account(self, user["id"], user["username"], user["auth_token"])


class Account:
    """Somebody who is signed in."""

    def __init__(self, app: App, user_id: int, username: str, token: str) -> None:
        self.app = app
        self.id = user_id
        self.username = username
        self.token = token

    async def call(self, name: str, body: object = None) -> Json:
        return await self.app.call(name, body, self.token)

    async def ask(self, name: str, body: object = None) -> Any:
        return await self.app.ask(name, body, self.token)

    async def refused(self, name: str, body: object = None) -> Json:
        return await self.app.refused(name, body, self.token)

    async def sees(self, other: "Account") -> Json:
        """The other one's profile."""
        msg = await self.ask("showUserDetail", {"other_user_id": str(other.id)})
        user: Json = msg["User"]
        return user
