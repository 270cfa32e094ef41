"""One node of each kind for a whole file of tests; each test has paths of its own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.node import KINDS, Node, running


def _skip_without(kind: str) -> None:
    variable = KINDS[kind].variable
    if variable and not os.environ.get(variable):
        pytest.skip(f"{variable} is not set: no {kind} to try")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def shared_node(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Node]:
    _skip_without(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    async with running(request.param, folder) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def node(shared_node: Node) -> AsyncIterator[Node]:
    yield shared_node
    await shared_node.dismiss_encoders()


@pytest_asyncio.fixture(params=KINDS)
async def own_node(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Node]:
    """A node that the test may stop."""
    _skip_without(request.param)
    async with running(request.param, tmp_path) as started:
        yield started
