"""How a node ends, and what is left of it."""

import signal

import psutil

from tests.contract.node import Node, answers, start


async def test_a_node_that_is_asked_to_stop(own_node: Node) -> None:
    """It tells the end of each broadcast first."""
    node, path = own_node, own_node.new_path()
    encoder, source_id = await node.go_live(path)
    children = psutil.Process(node.process.process.pid).children(recursive=True)
    node.process.process.send_signal(signal.SIGTERM)
    assert await node.process.ended() == 0
    told = [(one.event, one.env["MTX_SOURCE_ID"]) for one in node.plane.told_of(path)]
    assert told == [("ready", source_id), ("not_ready", source_id)]
    assert await encoder.ended() != 0
    assert psutil.wait_procs(children, timeout=60.0)[1] == []


async def test_a_node_that_is_killed(own_node: Node) -> None:
    """It tells nothing and leaves nothing behind; the next one says that it is new."""
    node, path = own_node, own_node.new_path()
    await node.go_live(path)
    _, before = await node.api("info")
    children = psutil.Process(node.process.process.pid).children(recursive=True)
    await node.process.kill()
    assert psutil.wait_procs(children, timeout=60.0)[1] == []
    node.process = await start(node.kind, node.config, node.folder)
    await answers(node)
    _, after = await node.api("info")
    assert after["started"] > before["started"]
    assert await node.items("paths") == []
    assert [one.event for one in node.plane.told_of(path)] == ["ready"]
