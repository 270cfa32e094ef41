"""``/v1`` of a server elsewhere, over HTTP, with an operator's token."""

import contextlib
import json
import re
import secrets
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import aiohttp
import click
from yarl import URL

from control_plane.base.texts import visible
from control_plane.commands.asking import Json, Method
from control_plane.commands.unanswered import unanswered

WITHIN = aiohttp.ClientTimeout(total=60, sock_connect=10)  # seconds
#: Of what reads everything there is: the ledger by nine queries of ten minutes at most.
LONG = aiohttp.ClientTimeout(total=7200, sock_connect=10)
LASTING = frozenset({"/v1/ledger/check", "/v1/audit/verify"})
NAMED = re.compile(r"\{(\w+)\}")
TOKEN = re.compile(r"[!-~]+")
USER_IN_URL = "--server takes no user and no password: --token-file says who asks."
OURS = "Control-Plane"  # in each answer to a token that counts


@contextlib.asynccontextmanager
async def remote(server: str, token_file: Path | None) -> AsyncIterator["Remote"]:
    if "@" in server:  # wherever it stands: none of it is shown
        raise click.UsageError(USER_IN_URL)
    headers = {"Authorization": f"Bearer {_token(token_file)}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield Remote(http, server.rstrip("/"))


def _token(file: Path | None) -> str:
    if file is None:
        raise click.UsageError("--server needs --token-file.")
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from None
    if not TOKEN.fullmatch(token):
        raise click.ClickException(f"{file} does not hold a token.")
    return token


class Said(dict[str, Any]):
    """An answer, or a part of one, maybe by a server of another version."""

    def __missing__(self, name: str) -> NoReturn:
        sentence = f"The server does not say {name}: it is of another version."
        raise click.ClickException(sentence)


LOADS = partial(json.loads, object_hook=Said)


class Remote:
    def __init__(self, http: aiohttp.ClientSession, server: str) -> None:
        self._http = http
        self._server = server

    async def ask(self, method: Method, path: str, said: Json, once: str) -> Json:
        key = once or secrets.token_urlsafe(16)
        try:
            try:
                status, found = await self._asked(method, path, dict(said), key)
            except aiohttp.ClientConnectionError:
                # The key lets it count once, also where only the answer was lost.
                status, found = await self._asked(method, path, dict(said), key)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise unanswered(self._server, error) from None
        if not 200 <= status < 300:
            detail = str(found.get("detail") or f"It answered {status}.")
            raise click.ClickException(visible(detail))
        return found

    async def _asked(
        self, method: Method, path: str, said: Json, key: str
    ) -> tuple[int, Json]:
        filled = NAMED.sub(lambda name: quote(str(said.pop(name[1])), safe=""), path)
        url = URL(f"{self._server}{filled}", encoded=True)
        headers = {}
        if method == "GET":
            url = url.with_query({name: _text(value) for name, value in said.items()})
        else:
            headers["Idempotency-Key"] = key
        async with self._http.request(
            method,
            url,
            json=said if method == "POST" else None,
            headers=headers,
            allow_redirects=False,  # nobody else is told the token
            timeout=LONG if path in LASTING else WITHIN,
        ) as response:
            return response.status, await _read(response)


async def _read(response: aiohttp.ClientResponse) -> Json:
    """Whoever is no control plane has done nothing, though it says 200."""
    ours = OURS in response.headers or not 200 <= response.status < 300
    with contextlib.suppress(ValueError):
        found = await response.json(content_type=None, loads=LOADS) or {}
        if ours and isinstance(found, dict):
            return found
    raise ValueError(f"it answered {response.status}")


def _text(value: object) -> str:
    """As a query says it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
