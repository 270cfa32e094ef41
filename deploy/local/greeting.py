"""What is said once everything is up: the way to the first picture."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from deploy.local.folder import Folder
from deploy.local.node import Kind
from deploy.local.ports import HLS, LOOPBACK, OPERATORS, PUBLIC, RTMP


def greeting(environ: Mapping[str, str], folder: Folder, kind: Kind, token: str) -> str:
    public, rtmp = PUBLIC.number(environ), RTMP.number(environ)
    page = f"http://{LOOPBACK}:{public}/"
    moved = public != PUBLIC.number({})
    url = f" --url {page.rstrip('/')}" if moved else ""
    there = f"{PUBLIC.setting}={public} " if moved else ""
    lines = [
        f"Open            {page}",
        f"Demo            .venv/bin/control-plane demo{url}   (in another terminal)",
        f"OBS             Settings, Stream, Custom: server rtmp://{LOOPBACK}:{rtmp}/live",
        f"                stream key: `{there}make key` prints one",
        f"Dashboard       http://{LOOPBACK}:{OPERATORS.number(environ)}/ops",
        f"                token {token}",
        *_phone(lan_address(), public, rtmp, HLS.number(environ)),
        f"Other commands  {_short(folder.command)} --help",
        f"Logs            {_short(folder.path / 'log')}",
    ]
    if kind.sandbox:
        lines.append("The sandbox node takes RTMP only and is not for production.")
    lines.append("Ctrl-C stops everything.")
    return "\n" + "\n".join(lines) + "\n"


def _phone(address: str, public: int, rtmp: int, hls: int) -> list[str]:
    if not address:
        return ["Phone           this machine is on no network"]
    return [
        f"Phone           on the same network: watch at http://{address}:{public}/",
        f"                an app's API is http://{address}:{public}/api/",
        f"                an RTMP app's server is rtmp://{address}:{rtmp}/live,",
        "                its key as for OBS",
        f"                (a firewall must let in {public}, {rtmp} and {hls})",
    ]


def lan_address() -> str:
    """The address that other machines on the network know this one by, or nothing.
    Connecting a UDP socket sends nothing; it only asks the system for the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: belongs to nobody
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address


def _short(path: Path) -> str:
    """As seen from where the command was given."""
    return os.path.relpath(path)
