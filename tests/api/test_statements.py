"""How often a call of the apps goes to Postgres and back: a screen waits for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from control_plane.config.settings import Settings
from control_plane.roles.running import ROLES
from control_plane.roles.sockets import listening_at, port_of
from tests.api.town import Town
from tests.support.api import App, Json
from tests.support.service import ALL
from tests.support.statements import Counted, counted

#: As a guest (None: guests have none), and as somebody who is signed in: that is one
#: more, for who it is.
COSTS: list[tuple[str, str, int | None, int]] = [
    ("showLiveStreams", "", 1, 3),  # a block may keep them apart from somebody
    ("showLiveStream", "live", 1, 2),
    ("watch", "live", 2, 3),  # who may watch is looked up each time
    ("showUserDetail", "", None, 3),  # with the purse
    ("showUserDetail", "bob", 1, 2),
    ("showUserDetail", "bob by name", 1, 2),
    ("showRelatedVideos", "first page", 2, 4),  # opens it; the unseen, the seen
    ("showRelatedVideos", "next page", None, 5),
    ("showVideoDetail", "video", 1, 2),
    # Bans; a key and its event, together; the account. One because its node is silent:
    # is there another?
    ("liveStream", "", None, 9),
]


@pytest.fixture
async def postgres(database_url: str, server_folder: Path) -> AsyncIterator[Counted]:
    async with counted(database_url, server_folder) as found:
        yield found


@pytest.fixture
async def near(postgres: Counted, wanted: Settings) -> AsyncIterator[App]:
    """Only the role that apps talk to: the others ask Postgres by themselves."""
    changed = wanted.model_copy(update={"database_url": SecretStr(postgres.url)})
    role = ROLES["api"]
    with listening_at(changed, role.places) as sockets:
        port = port_of(sockets["public"])
        async with role.serve(changed, sockets), aiohttp.ClientSession() as http:
            yield App(http, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("roles", [ALL], ids=["all"])
async def test_what_a_screen_costs(postgres: Counted, town: Town, near: App) -> None:
    bodies: dict[str, Json] = {
        "": {},
        "live": {"id": town.live},
        "video": {"video_id": town.video},
        "bob": {"other_user_id": town.bob.id},
        "bob by name": {"username": "bob"},
        "first page": {"starting_point": 0},
        "next page": {"starting_point": 1},
    }
    found = [
        (
            name,
            about,
            None
            if as_guest is None
            else await _cost(postgres, near, name, bodies[about], ""),
            await _cost(postgres, near, name, bodies[about], town.ann.token),
        )
        for name, about, as_guest, _ in COSTS
    ]

    assert found == COSTS


async def _cost(postgres: Counted, app: App, name: str, body: Json, token: str) -> int:
    """Once the connection has prepared its statements. The least of a few calls: what
    the role asks by itself, such as whether its stores answer, may fall into one."""
    costs = []
    for _ in range(4):
        before = postgres.seen
        await app.call(name, body, token)
        costs.append(postgres.seen - before)
    return min(costs)
