"""One call to an app store, with a short time to answer."""

import json
from collections.abc import Mapping

import aiohttp
import structlog
from yarl import URL

from control_plane.base.refusals import Unavailable
from control_plane.base.streams import whole

log = structlog.get_logger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)
LARGEST = 4_000_000  # bytes


async def call(
    http: aiohttp.ClientSession,
    method: str,
    url: str | URL,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> tuple[int, dict[str, object]]:
    """Status and JSON object, empty when there is none. ``body``: sent as JSON. Raises
    Unavailable when the store does not answer, fails or wants us to slow down."""
    try:
        async with http.request(
            method,
            url,
            headers=headers,
            params=params,
            data=form,
            json=body,
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            status, raw = response.status, await whole(response.content, LARGEST)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("an app store does not answer", error=repr(error))
        raise Unavailable from None
    if status == 429 or status >= 500 or raw is None:
        log.warning("an app store cannot answer now", status=status)
        raise Unavailable
    return status, _object(raw)


def _object(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
