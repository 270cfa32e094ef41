"""Valkeys of a test's own."""

import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from deploy.local.process import Program
from deploy.local.valkey import ADDRESS, installed, valkey
from tests.support.ports import free_ports

PASSWORD = "of servers"
#: As it stands in an address.
LOGIN = f":{PASSWORD}@".replace(" ", "%20")
KEEPS_NOTHING = {"requirepass": f'"{PASSWORD}"', "save": '""'}


def alone(folder: Path) -> AbstractAsyncContextManager[str]:
    """One by itself, which keeps nothing. Its URL."""
    return valkey(folder, port=free_ports(1)[0], durable=False)


def server(
    parent: Path, port: int, settings: Mapping[str, object], *more: str
) -> Program:
    """One with a folder of its own. ``more``: words of its command line."""
    folder = parent / f"{port}"
    folder.mkdir(parents=True)
    file = folder / "settings.conf"
    own = {"bind": ADDRESS, "port": port, "dir": f'"{folder}"'}
    lines = (f"{name} {value}\n" for name, value in {**own, **settings}.items())
    file.write_text("".join(lines), "utf-8")
    return Program(
        name="Valkey",
        command=(str(installed()), str(file), *more),
        environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stop_signal=signal.SIGTERM,
        log=folder / "log",
        folder=folder,
    )
