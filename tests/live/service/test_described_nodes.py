"""What is said of a node when it is added: its role, place, weight and capacity."""

from dataclasses import replace

from control_plane.base.database import Pool
from control_plane.events import store
from control_plane.live.model.nodes import Node
from control_plane.wiring.services import Services

NODE = Node("far", "http://127.0.0.1:9", "", "", "", "", "")
EDGE = replace(
    NODE,
    role="edge",
    region="eu",
    weight=3,
    most_readers=2000,
    most_bits=10_000_000_000,
)


async def test_it_is_kept_and_told(opened: Services, pool: Pool) -> None:
    await opened.nodes.save(NODE)
    assert await opened.nodes.get("far") == NODE
    await opened.nodes.save(EDGE)
    assert await opened.nodes.get("far") == EDGE
    far = await pool.fetchval("SELECT id FROM nodes WHERE name = 'far'")
    told = [one.data for one in await store.of_subject(pool, "node", far, 0)]
    assert [(one["role"], one["most_bits"]) for one in told] == [
        ("origin", None),
        ("edge", 10_000_000_000),
    ]


async def test_broadcasts_go_to_origins_only(opened: Services) -> None:
    """Also where an edge has less to do."""
    await opened.nodes.save(replace(EDGE, name="a-first"))
    assert (await opened.nodes.some_origin()).name == "local"
