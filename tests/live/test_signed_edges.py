"""An edge that asks nobody, as a CDN: addresses say who may watch, and until when."""

from pathlib import Path

import pytest

from tests.support.edge import HlsReader, SignedEdge
from tests.support.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_checks_what_it_is_asked_for(
    stack: Stack, server_folder: Path
) -> None:
    live = await stack.go_live(await stack.sign_in("ann"), policy="token")
    await stack.publish(live["rtmp_url"])
    await stack.status(live["id"], "live")
    path = str(live["path"])
    hls = f"http://127.0.0.1:{stack.ports['HLS']}"
    async with SignedEdge(stack, server_folder, hls).running() as edge:
        assert isinstance(edge, SignedEdge)
        right = edge.opens(path, 60)
        async with HlsReader(stack.http, edge.at(right, path)).playing() as reader:
            await reader.moves()
        assert reader.statuses.keys() <= {200, 404}

        async def status(opens: str, of: str = path) -> int:
            async with stack.http.get(edge.at(opens, of)) as response:
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                return response.status

        name, expires, _ = right.split(".")
        assert await status(edge.opens(path, 60, edge.old)) == 200
        assert await status(edge.opens(path, -1)) == 403
        assert await status(f"{name}.{int(expires) + 60}.{right[-22:]}") == 403
        assert await status(right, "live/nothing") == 403
        assert await status(edge.opens(path, 60, "x" * 32)) == 404
