"""``POST /hooks/mediamtx/<node>/<event>``: what MediaMTX's runOn… commands tell.

A hint that makes us faster, never the truth: messages come late, twice, in any order
or not at all. The body holds ``NAME=value`` lines.
"""

import structlog

from control_plane.base.faults import Away
from control_plane.live.service.cutting import Cutter
from control_plane.live.service.grants import Grants
from control_plane.live.service.lifecycle import Lifecycle, Source
from hooks.messages import Answer

log = structlog.get_logger(__name__)

LARGEST = 16 * 1024  # bytes
READY = frozenset({"ready", "online", "available"})
NOT_READY = frozenset({"not_ready", "notready", "offline", "unavailable"})


def values(body: bytes) -> dict[str, str]:
    lines = body.decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value for name, _, value in pairs}


async def tell(
    node: str,
    event: str,
    told: dict[str, str],
    lifecycle: Lifecycle,
    grants: Grants,
    cutter: Cutter,
) -> Answer:
    """204; 400 for what cannot be read, 503 when the sender should try again."""
    if event not in READY | NOT_READY:
        return Answer(404)
    source = Source(
        node,
        told.get("MTX_PATH", ""),
        told.get("MTX_SOURCE_TYPE", ""),
        told.get("MTX_SOURCE_ID", ""),
    )
    if not source.path or len(source.path) > 255 or len(source.id) > 64:
        return Answer(400)
    if any("\0" in one for one in (source.path, source.type, source.id)):
        return Answer(400)  # Postgres takes every character but this one
    if not source.id:
        return Answer(204)  # the slate of alwaysAvailable has no source
    try:
        if event in READY:
            await _ready(source, lifecycle, grants, cutter)
        else:
            await lifecycle.not_ready(source)
    except Away as error:
        log.warning("hook without Postgres", path=source.path, error=repr(error))
        return Answer(503)
    return Answer(204)


async def _ready(
    source: Source, lifecycle: Lifecycle, grants: Grants, cutter: Cutter
) -> None:
    await grants.settle(source.node, source.id)
    if await lifecycle.ready(source) == "refused":
        await cutter.kick(source)
