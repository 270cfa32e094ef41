"""A real PgBouncer that hands each transaction to whichever connection is free."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Authority
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.relay import by_port
from tests.support.stack import until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(not PROGRAM, reason="pgbouncer is not installed")

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={postgres}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
"""
TLS = """
client_tls_sslmode = require
client_tls_cert_file = {key}
client_tls_key_file = {key}
"""


@contextlib.asynccontextmanager
async def pooled(
    url: str, folder: Path, authority: Authority | None = None
) -> AsyncIterator[str]:
    """The same database through PgBouncer, with TLS if there is an authority.
    ``folder``: others can reach it."""
    assert PROGRAM is not None
    parts = urlsplit(url)
    async with by_port(url) as direct:
        (port,) = free_ports(1)
        (folder / "users").write_text(f'"{parts.username}" ""\n')
        configuration = folder / "pgbouncer.ini"
        text = CONFIGURATION.format(
            postgres=urlsplit(direct).port, port=port, folder=folder
        )
        query = "sslmode=disable"
        if authority is not None:
            key = authority.certificate("127.0.0.1", timedelta(days=1))
            key.chmod(0o644)  # it runs as another user
            text += TLS.format(key=key)
            query = f"sslmode=verify-full&sslrootcert={authority.file}"
        configuration.write_text(text)
        as_nobody = ("-u", "nobody") if os.geteuid() == 0 else ()
        process = await Process.start(
            folder / "pgbouncer.log", PROGRAM, *as_nobody, str(configuration)
        )

        async def listens() -> bool:
            assert process.running, process.log.read_text()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        try:
            await until(listens)
            at = f"127.0.0.1:{port}{parts.path}"
            yield f"postgresql://{parts.username}@{at}?{query}"
        finally:
            await process.stop()
