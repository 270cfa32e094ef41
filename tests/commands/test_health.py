"""Whether the roles that run here are ready."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.commands import command
from tests.support.ports import free_ports


@pytest.fixture
def env() -> dict[str, str]:
    auth, api, work = map(str, free_ports(3))
    return {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/d",
        "REDIS_URL": "redis://127.0.0.1:1",
        "CONTROL_PLANE_SECRET": "s" * 32,
        "CONTROL_PLANE_INTERNAL_PORT": auth,
        "CONTROL_PLANE_API_METRICS_PORT": api,
        "CONTROL_PLANE_WORK_METRICS_PORT": work,
    }


async def test_roles_that_run_elsewhere_are_named(env: dict[str, str]) -> None:
    app = web.Application()
    app.router.add_get("/readyz", _ready)
    async with TestServer(app, port=int(env["CONTROL_PLANE_API_METRICS_PORT"])):
        said = await command(env, "health")
        assert said.exit_code == 0
        lines = ["auth: nothing listens", "api: ok", "work: nothing listens"]
        assert said.output.splitlines() == lines
        said = await command(env, "health", "--every-role")
        assert said.exit_code == 1
        assert said.output.splitlines() == [*lines, "Error: Not ready."]


async def test_none_is_not_ready(env: dict[str, str]) -> None:
    said = await command(env, "health")
    assert said.exit_code == 1
    assert said.output.endswith("Error: Nothing runs here.\n")


async def test_it_waits_for_what_has_just_started(env: dict[str, str]) -> None:
    """As a role is that waits for the tables."""
    answers = iter([(503, "no schema"), (503, "no schema")])

    async def ready(_: web.Request) -> web.Response:
        status, text = next(answers, (200, "ok"))
        return web.Response(status=status, text=f"{text}\n")

    app = web.Application()
    app.router.add_get("/readyz", ready)
    async with TestServer(app, port=int(env["CONTROL_PLANE_API_METRICS_PORT"])):
        said = await command(env, "health")
        assert (said.exit_code, "api: no schema" in said.output) == (1, True)
        said = await command(env, "health", "--wait", "60")
    assert said.exit_code == 0, said.output
    lines = ["auth: nothing listens", "api: ok", "work: nothing listens"]
    assert said.output.splitlines() == lines


async def test_it_waits_no_longer_than_it_is_told(env: dict[str, str]) -> None:
    said = await command(env, "health", "--every-role", "--wait", "0.1")
    assert said.exit_code == 1
    assert said.output.endswith("work: nothing listens\nError: Nothing runs here.\n")


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")
