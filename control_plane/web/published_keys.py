"""Fetching a sign-in provider's public keys."""

import json
import re

import aiohttp

from control_plane.base.streams import whole
from control_plane.people.model.providers import PublishedKeys
from control_plane.people.service.key_ring import Fetch, KeysAway

TIMEOUT = aiohttp.ClientTimeout(total=5.0)
LARGEST = 256_000  # bytes
SHORTEST_AGE, LONGEST_AGE = 300.0, 86_400.0  # seconds
DEFAULT_AGE = 3600.0  # seconds, where the answer says nothing


def fetcher(http: aiohttp.ClientSession) -> Fetch:
    async def fetch(url: str) -> PublishedKeys:
        try:
            async with http.get(url, timeout=TIMEOUT) as response:
                response.raise_for_status()
                control = response.headers.get("Cache-Control", "")
                document = json.loads(await _read(response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise KeysAway(repr(error)) from None
        return PublishedKeys(_keys(document), max_age(control))

    return fetch


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = await whole(response.content, LARGEST)
    if body is None:
        raise KeysAway("the answer is too long")
    return body


def max_age(cache_control: str) -> float:
    """Seconds, within bounds: nobody makes us ask all the time, or never again."""
    found = re.search(r"\bmax-age\s*=\s*(\d{1,9})", cache_control.lower())
    age = float(found[1]) if found else DEFAULT_AGE
    return min(max(age, SHORTEST_AGE), LONGEST_AGE)


def _keys(document: object) -> tuple[dict[str, object], ...]:
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys:
        raise KeysAway("the answer holds no keys")
    return tuple(key for key in keys if isinstance(key, dict))
