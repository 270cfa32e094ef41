"""The newest segment of a stream, as a viewer fetches it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from mediamtx.fragments import frames

PATIENCE = 10.0  # seconds
LONGEST_PLAYLIST = 200_000  # bytes
#: Of a segment, which begins with its key frame.
MOST = 4_000_000  # bytes
ATTRIBUTE = re.compile(r'([A-Z-]+)=("[^"]*"|[^,]*)')
MAP = re.compile(r'#EXT-X-MAP:.*?URI="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Newest:
    """``data``: of the picture's track, from its header and its key frame on; perhaps
    not to its end. ``name``: no other segment's. ``durations``: in seconds, of the
    segments that are listed: as far apart as key frames, if those are rarer than
    segments should be. ``fps``: 0 where it cannot be told."""

    data: bytes = b""
    name: str = ""
    durations: tuple[float, ...] = ()
    fps: float = 0.0
    codecs: str = ""
    width: int = 0
    height: int = 0


#: The node has the stream, perhaps, and no segment of it yet.
NOTHING = Newest()


async def newest(http: aiohttp.ClientSession, url: str, token: str) -> Newest | None:
    """``url``: of the master playlist. NOTHING: there is none, or not in time. None:
    the node did not say."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _newest(http, URL(url).update_query(token=token), token)
    except TimeoutError:
        return NOTHING
    except aiohttp.ClientResponseError as error:
        return NOTHING if error.status == 404 else None
    except (aiohttp.ClientError, ValueError):
        return None


async def _newest(http: aiohttp.ClientSession, master: URL, token: str) -> Newest:
    text, at = await _playlist(http, master)
    stream, child = _stream(text)
    media, at = await _playlist(http, _with(at, child, token))
    header = MAP.search(media)
    segments = _segments(media)
    if header is None or not segments:
        return NOTHING
    first, _ = await _fetched(http, _with(at, header[1], token), MOST)
    data, _ = await _fetched(http, _with(at, segments[-1][1], token), MOST)
    width, _, height = stream.get("RESOLUTION", "0x0").partition("x")
    count = await asyncio.to_thread(frames, first, data)
    return Newest(
        first + data,
        segments[-1][1].partition("?")[0],
        tuple(seconds for seconds, _ in segments),
        count / segments[-1][0] if segments[-1][0] > 0 else 0.0,
        stream.get("CODECS", ""),
        int(width),
        int(height),
    )


def _stream(master: str) -> tuple[Mapping[str, str], str]:
    """What is said of the first picture, and where its playlist is. Raises
    ValueError."""
    _, found, rest = master.partition("#EXT-X-STREAM-INF:")
    lines = rest.splitlines()
    if not found or len(lines) < 2:
        raise ValueError
    pairs = ATTRIBUTE.findall(lines[0])
    return {name: value.strip('"') for name, value in pairs}, lines[1]


def _segments(media: str) -> list[tuple[float, str]]:
    """How long, and where. Raises ValueError."""
    found: list[tuple[float, str]] = []
    seconds = 0.0
    for line in media.splitlines():
        if line.startswith("#EXTINF:"):
            seconds = float(line.removeprefix("#EXTINF:").partition(",")[0])
        elif line and not line.startswith("#"):
            found.append((seconds, line))
    return found


def _with(at: URL, child: str, token: str) -> URL:
    """Servers before v1.8.3 leave the query out of children's addresses."""
    url = at.join(URL(child, encoded=True))
    if "session" in url.query or "token" in url.query:
        return url
    return URL(f"{url}{'&' if url.query else '?'}{urlencode({'token': token})}")


async def _playlist(http: aiohttp.ClientSession, url: URL) -> tuple[str, URL]:
    text, at = await _fetched(http, url, LONGEST_PLAYLIST)
    return text.decode(errors="replace"), at


async def _fetched(
    http: aiohttp.ClientSession, url: URL, most: int
) -> tuple[bytes, URL]:
    """Not more than ``most`` bytes, and where they were in the end."""
    found = bytearray()
    async with http.get(url, raise_for_status=True) as response:
        while more := await response.content.read(most - len(found)):
            found += more
    return bytes(found), response.url
