"""Asking the control plane, as MediaMTX does: a new connection each, and about encoders
and viewers one call at a time, within the lock that guards all paths. Only 2xx lets
anyone in."""

import asyncio
import base64
import contextlib
import functools
import json
from urllib.parse import parse_qs, urlsplit, urlunsplit

import aiohttp

from mediamtx.sandbox.version import Version

#: As MediaMTX writes it.
compact_json = functools.partial(json.dumps, separators=(",", ":"))


class Auth:
    def __init__(self, url: str, timeout: float, version: Version) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        self._url = urlunsplit(parts._replace(netloc=host + port))
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": "Go-http-client/1.1",
        }
        if parts.username:
            basic = aiohttp.encode_basic_auth(parts.username, parts.password or "")
            self._headers["Authorization"] = basic
        self._timeout = timeout
        self._version = version
        self.lock = asyncio.Lock()

    async def allows(
        self,
        action: str,
        path: str,
        protocol: str,
        *,
        ip: str,
        query: str,
        id_: str | None,
        credentials: tuple[str, str, str] = ("", "", ""),
        agent: str = "",
    ) -> bool:
        """``credentials``: user, password and token."""
        user, password, token = credentials
        payload = {
            "ip": ip,
            "user": user,
            "password": password,
            "token": token,
            "action": action,
            "path": path,
            "protocol": protocol,
            "id": id_,
            "query": query,
        }
        if self._version.user_agents:
            payload["userAgent"] = agent
        # Callers of the API are asked about outside of the lock.
        async with self.lock if path else contextlib.nullcontext():
            return await self._ask(payload)

    def rtmp_credentials(self, query: str) -> tuple[str, str, str]:
        """User, password and token of an RTMP URL."""
        values = {name: found[0] for name, found in parse_qs(query).items()}
        user, password = values.get("user", ""), values.get("pass", "")
        token = password or values.get("token") or values.get("jwt", "")
        return user, password, token if self._version.token_from_anywhere else ""

    def http_credentials(self, authorization: str | None) -> tuple[str, str, str]:
        """User, password and token of an Authorization header."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme == "Bearer":
            return "", "", given
        if scheme != "Basic":
            return "", "", ""
        try:
            user, _, password = base64.b64decode(given).decode().partition(":")
        except ValueError:
            return "", "", ""
        return user, password, password if self._version.token_from_anywhere else ""

    async def _ask(self, payload: dict[str, str | None]) -> bool:
        body = compact_json(payload)
        try:
            async with (
                asyncio.timeout(self._timeout),
                aiohttp.ClientSession() as http,
                http.post(self._url, data=body, headers=self._headers) as response,
            ):
                return 200 <= response.status < 300
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False
