"""While the control plane has not answered about one viewer or encoder, a node lets
nobody else in, tells nothing of any path and lists none; its other lists answer."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import pytest

from tests.contract.node import Node
from tests.contract.plane import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextlib.asynccontextmanager
async def unanswered(node: Node) -> AsyncIterator[None]:
    """A viewer's question that waits for its answer."""
    path = node.new_path()
    node.plane.held[path] = asyncio.Event()
    viewer = asyncio.create_task(node.master(path, "token=VIEW"))
    await node.plane.first_asked(path, "read")
    try:
        yield
    finally:
        node.plane.held.pop(path).set()
    assert (await viewer).status == 404


async def test_viewers_are_asked_about_one_after_the_other(node: Node) -> None:
    path = node.new_path()
    node.plane.answers[path] = Answer(after=0.4)
    await asyncio.gather(*(node.master(path, f"n={n}") for n in range(3)))
    asked = node.plane.asked_about(path)
    assert len(asked) == 3
    for before, after in itertools.pairwise(asked):
        assert after.at >= before.answered_at


async def test_lists_while_a_question_waits(node: Node) -> None:
    async with unanswered(node):
        paths = asyncio.create_task(node.api("paths/list"))
        for what in ("info", "rtmpconns/list", "hlssessions/list"):
            status, _ = await node.api(what)
            assert status == (404 if what[:3] == "hls" and not node.is_new else 200)
        assert not paths.done()
    assert (await paths)[0] == 200


async def test_an_end_while_a_question_waits(node: Node) -> None:
    """It is told once the question is answered."""
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    async with unanswered(node):
        status, _ = await node.api(f"rtmpconns/kick/{source_id}", "POST")
        assert status == 200
        assert await encoder.ended(8.0) != 0
        assert [one.event for one in node.plane.told_of(path)] == ["ready"]
    await node.plane.first_told(path, "not_ready", source_id)
