"""Cutting a publisher: deny first (a commit, before any of this), then kick."""

import asyncio

import structlog

from control_plane.service.nodes import Nodes

log = structlog.get_logger(__name__)

TRIES = 8
PAUSE = 0.25  # seconds


async def cut(nodes: Nodes, node_name: str, path: str) -> bool:
    """Kick whoever publishes to ``path``, or is about to. True once the node lists
    nobody there; False after 2 s."""
    api = nodes.api(await nodes.get(node_name))
    for _ in range(TRIES):
        view = await api.look()
        if view.answer == "refused":
            return True
        if view.answer == "answered":
            there = [
                publisher for publisher in view.publishers if publisher.path == path
            ]
            if not there:
                return True
            for publisher in there:
                await api.kick(publisher.source_type, publisher.source_id)
        await asyncio.sleep(PAUSE)
    log.warning("a publisher could not be cut yet", node=node_name, path=path)
    return False
