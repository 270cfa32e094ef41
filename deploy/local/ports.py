"""Ports: a free one, or who may have taken a fixed one."""

import socket


def free_port(address: str = "127.0.0.1") -> int:
    """Free now; whoever takes it first has it."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
