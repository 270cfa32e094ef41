"""The service in this process on free ports, and an app that talks to it."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence

import aiohttp

from control_plane.config.settings import Settings
from control_plane.roles.running import RoleName
from tests.support.client import FORM as FORM
from tests.support.client import Account as Account
from tests.support.client import App as App
from tests.support.client import Json as Json
from tests.support.ports import free_ports
from tests.support.service import ALL, serve

#: What apps and viewers talk to; nothing happens by itself.
API: Sequence[RoleName] = ("api",)
#: With what happens by itself, and what operators ask; no node is answered.
APART_FROM_NODES: Sequence[RoleName] = ("api", "work")


def settings(database_url: str, redis_url: str, **changes: object) -> Settings:
    """Development, no node that answers, and no limits."""
    return Settings.model_validate(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "env": "development",
            "secret": secrets.token_hex(16),
            "public_host": "127.0.0.1",
            "public_port": 0,
            "internal_port": 0,
            "api_metrics_port": 0,
            "work_metrics_port": 0,
            "operator_port": 0,
            "postgres_connections": 3,
            "api_port": free_ports(1)[0],
            "sign_ins_per_minute": 0,
            "money_per_minute": 0,
            "searches_per_minute": 0,
            "writes_per_minute": 0,
            **changes,
        }
    )


def looking_once(wanted: Settings) -> Settings:
    """At each node, when it starts: no service may leave so much time between two."""
    return wanted.model_copy(update={"reconcile_seconds": 3600.0})


@contextlib.asynccontextmanager
async def running(
    wanted: Settings, roles: Sequence[RoleName] = ALL
) -> AsyncIterator[App]:
    async with serve(wanted, roles) as ports, aiohttp.ClientSession() as http:
        operators = f"http://127.0.0.1:{ports.operator}"
        yield App(http, f"http://127.0.0.1:{ports.public}", operators)
