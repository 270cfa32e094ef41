"""What the lists of the control API hold, from v1.3.0 on, and what we take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Item = Mapping[str, Any]
#: A list's items by its name; None where the node has no such list.
Lists = Mapping[str, Sequence[Item] | None]
Answer = Literal["answered", "refused", "silent"]

#: Where the connections of each source and reader type are listed and kicked.
LIST_OF_TYPE = {
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
    "moqSession": "moqsessions",
    "hlsSession": "hlssessions",
}
PUBLISHER_TYPES = tuple(name for name in LIST_OF_TYPE if name != "hlsSession")


class Publisher(NamedTuple):
    """One encoder's connection. ``query`` is as it sent it and may hold a key."""

    path: str
    source_type: str
    source_id: str
    ready: bool
    query: str


class Reader(NamedTuple):
    """One viewer. A tuple: 20,000 frozen dataclasses take twice as long to make."""

    path: str
    reader_type: str
    reader_id: str
    query: str
    outbound_bytes: int
    address: str


@dataclass(frozen=True, slots=True)
class Info:
    """``version`` and ``started`` are empty before v1.15.2."""

    answer: Answer
    reason: str = ""
    version: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What one look at a node's lists gave; ``reason`` is set unless it answered."""

    answer: Answer
    reason: str = ""
    started: str = ""
    publishers: Sequence[Publisher] = ()
    readers: Sequence[Reader] = ()
    lists_hls: bool = False


def publishers(paths: Sequence[Item], lists: Lists) -> list[Publisher]:
    """The live source of each path, then who publishes and is no such source yet.

    Raises KeyError, TypeError or AttributeError on items of another shape.
    """
    queries = _publishing_queries(lists)
    found = list(_sources(paths, queries))
    live = {publisher.source_id for publisher in found}
    for source_type, item in _connections(lists, "publish"):
        if item["id"] not in live:
            query = queries[item["id"]]
            found.append(Publisher(item["path"], source_type, item["id"], False, query))
    return found


def readers(lists: Lists) -> list[Reader]:
    """Everyone who watches; raises as ``publishers`` does."""
    found = [
        _reader(reader_type, item) for reader_type, item in _connections(lists, "read")
    ]
    for item in lists["hlssessions"] or ():
        # A CDN's one session stands for no viewer.
        if not item.get("isCDN"):
            found.append(_reader("hlsSession", item))
    return found


def _sources(paths: Sequence[Item], queries: Mapping[str, str]) -> Iterator[Publisher]:
    for path in paths:
        source = path["source"]
        # Before v1.16.0 there is no `online`; since then `ready` may mean a path that
        # plays a stand-in without any publisher.
        live = path["online"] if "online" in path else path["ready"]
        if live and source is not None and source["type"] in PUBLISHER_TYPES:
            query = queries.get(source["id"], "")
            yield Publisher(path["name"], source["type"], source["id"], True, query)


def _publishing_queries(lists: Lists) -> dict[str, str]:
    return {
        item["id"]: item.get("query", "") for _, item in _connections(lists, "publish")
    }


def _connections(lists: Lists, state: str) -> Iterator[tuple[str, Item]]:
    for source_type in PUBLISHER_TYPES:
        for item in lists[LIST_OF_TYPE[source_type]] or ():
            if item["state"] == state:
                yield source_type, item


def _reader(reader_type: str, item: Item) -> Reader:
    sent = item.get("outboundBytes")
    if sent is None:
        sent = item.get("bytesSent", 0)
    return Reader(
        item["path"],
        reader_type,
        item["id"],
        item.get("query", ""),
        sent,
        _host(item.get("remoteAddr", "")),
    )


def _host(remote: str) -> str:
    """Of ``host:port`` or ``[host]:port``."""
    return remote.rpartition(":")[0].strip("[]")
