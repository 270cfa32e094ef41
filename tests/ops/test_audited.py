"""What operators do to receivers and nodes is in the audit log."""

from control_plane.audit.log import acting
from control_plane.audit.model import Actor
from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool
from control_plane.live.model.nodes import Node, NodeApi
from control_plane.live.service.nodes import Nodes
from tests.support.client import App
from tests.support.operators import ask, token

NODE = Node("far", "http://127.0.0.1:9", "", "", "", "", "")


async def acts(pool: Pool, subject: str) -> list[str]:
    """The oldest first."""
    found = await AuditLog(pool).page(100, subject=subject)
    return [entry.act for entry in reversed(found)]


async def test_what_is_done_to_a_receiver(app: App, pool: Pool) -> None:
    admin = await token(pool, "admin")
    url = "http://127.0.0.1:9/hook?password=1"
    _, made = await ask(app, "POST", "/v1/webhooks", admin, json={"url": url})
    path = f"/v1/webhooks/{made['id']}"
    await ask(app, "PATCH", path, admin, json={"description": "ours"})
    await ask(app, "POST", f"{path}/rotate", admin)
    await ask(app, "POST", f"{path}/disable", admin)
    assert (await ask(app, "DELETE", path, admin))[0] == 204
    told = ["added", "changed", "rotated", "disabled", "removed"]
    assert await acts(pool, f"webhook/{made['id']}") == [f"webhook.{t}" for t in told]
    changed = (await AuditLog(pool).page(4))[3]
    assert (changed.before["description"], changed.after["description"]) == ("", "ours")
    assert "password" not in str(await AuditLog(pool).page(100))


async def test_what_is_done_to_a_node(pool: Pool) -> None:
    def connect(node: Node) -> NodeApi:
        raise AssertionError(node.name)

    nodes = Nodes(pool, connect)
    with acting(Actor("command", "ann")):
        await nodes.save(NODE)
        await nodes.save(NODE)  # changes nothing
        await nodes.set_draining("far", draining=True)
        await nodes.remove("far")
    told = ["node.added", "node.drained", "node.removed"]
    assert await acts(pool, "node/far") == told
