"""Asking the control plane, as MediaMTX does: within one lock, one call at a time, a
new connection each. Only 2xx lets anyone in."""

import asyncio
import base64
import json
from urllib.parse import parse_qs, urlsplit, urlunsplit

import aiohttp


class Auth:
    def __init__(self, url: str, timeout: float, *, user_agent: bool) -> None:
        """``user_agent``: the payload has that field, as from v1.19.0."""
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
        self._user_agent = user_agent
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
        if self._user_agent:
            payload["userAgent"] = agent
        async with self.lock:
            return await self._ask(payload)

    async def _ask(self, payload: dict[str, str | None]) -> bool:
        body = json.dumps(payload, separators=(",", ":"))
        try:
            async with (
                asyncio.timeout(self._timeout),
                aiohttp.ClientSession() as http,
                http.post(self._url, data=body, headers=self._headers) as response,
            ):
                return 200 <= response.status < 300
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False


def rtmp_credentials(query: str) -> tuple[str, str, str]:
    """As v1.18.0 and later fill them from an RTMP URL's query."""
    values = {name: found[0] for name, found in parse_qs(query).items()}
    user, password = values.get("user", ""), values.get("pass", "")
    return user, password, password or values.get("token") or values.get("jwt", "")


def http_credentials(authorization: str | None) -> tuple[str, str, str]:
    """From an Authorization header."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme == "Bearer":
        return "", "", given
    if scheme == "Basic":
        try:
            user, _, password = base64.b64decode(given).decode().partition(":")
        except ValueError:
            return "", "", ""
        return user, password, password
    return "", "", ""
