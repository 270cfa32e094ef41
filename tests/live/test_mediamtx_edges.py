"""A MediaMTX that serves what it pulls from the node, and asks us about its readers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.edge import MediaEdge
from tests.support.stack import Stack, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def edge(stack: Stack, tmp_path: Path) -> AsyncIterator[MediaEdge]:
    if stack.kind == "sandbox":
        pytest.skip("the sandbox node pulls nothing")
    async with MediaEdge(stack, tmp_path).running() as found:
        yield found


async def test_its_readers_count_once_and_it_does_not(
    stack: Stack, edge: MediaEdge
) -> None:
    token = await stack.sign_in("ann")
    live = await stack.go_live(token, policy="token")
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    first = await stack.watch(await edge.address(live))
    second = await stack.watch(await edge.address(live))
    await stack.viewers(live["id"], 2)
    await until(lambda: _has_peaked(stack, live["id"], 2))  # its list says so too
    await first.stop()
    await stack.viewers(live["id"], 1)
    await stack.ask("denyViewer", {"id": live["id"], "all": 1}, token)
    await second.ended()
    await stack.viewers(live["id"], 0)
    assert await _has_peaked(stack, live["id"], 2)


async def _has_peaked(stack: Stack, session_id: str, viewers: int) -> bool:
    return bool((await stack.show(session_id))["peak_viewers"] == viewers)


async def test_it_takes_no_encoder(stack: Stack, edge: MediaEdge) -> None:
    live = await stack.go_live(await stack.sign_in("ann"))
    rtmp = f"127.0.0.1:{edge.ports['RTMP']}"
    own = live["rtmp_url"].replace(f"127.0.0.1:{stack.ports['RTMP']}/", f"{rtmp}/")
    assert rtmp in own
    for url in (own, own.replace("/live/", "/local/live/")):
        refused = await stack.publish(url)
        assert await refused.ended() != 0
