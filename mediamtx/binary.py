"""Finds the MediaMTX program, and fetches the pinned release where there is none."""

import asyncio
import contextlib
import hashlib
import io
import os
import platform
import re
import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import aiohttp

PINNED = "v1.20.1"
RELEASES = "https://github.com/bluenviron/mediamtx/releases/download"
CHECKSUMS = "checksums.sha256"
#: Short to connect, so that a start without network does not stand still; a download
#: that moves may take its time.
PATIENCE = aiohttp.ClientTimeout(total=None, connect=3.0, sock_read=10.0)  # seconds

CPUS = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "armv7",
    "armv6l": "armv6",
}
BUILDS = {
    "linux": {"amd64", "arm64", "armv7", "armv6"},
    "darwin": {"amd64", "arm64"},
}

Progress = Callable[[str], None]


class BinaryNotFound(Exception):
    """The text is one plain sentence."""


async def find(
    cache: Path,
    environ: Mapping[str, str],
    progress: Progress,
    http: aiohttp.ClientSession | None = None,
    base_url: str = RELEASES,
    patience: aiohttp.ClientTimeout = PATIENCE,
) -> Path:
    """``MEDIAMTX_BIN``, then PATH, then ``cache``, then the pinned release.

    ``progress`` gets a line to show, again and again, while it downloads. Raises
    BinaryNotFound.
    """
    found = _already_here(cache, environ)
    if found is not None:
        return found
    asset = asset_name(platform.system(), platform.machine())
    async with _session(http) as session:
        archive = await _fetch(
            session, f"{base_url}/{PINNED}", asset, progress, patience
        )
    target = cached(cache)
    try:
        await asyncio.to_thread(_unpack, archive, target)
    except OSError as error:
        raise BinaryNotFound(f"{cache} cannot be written: {error.strerror}.") from error
    return target


async def version_of(binary: Path) -> str:
    """Such as ``v1.20.1``. Raises BinaryNotFound for a program that says no version."""
    said = b""
    with contextlib.suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            str(binary), "--version", stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(10):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    version = said.decode(errors="replace").strip()
    if not re.fullmatch(r"v\d+\.\d+\.\d+", version):
        raise BinaryNotFound(f"{binary} does not say which version of MediaMTX it is.")
    return version


def cached(cache: Path) -> Path:
    return cache / f"mediamtx-{PINNED}" / "mediamtx"


def asset_name(system: str, machine: str) -> str:
    """The release's file for this machine. Raises BinaryNotFound."""
    builds = BUILDS.get(system.lower(), set())
    cpu = CPUS.get(machine.lower(), "")
    if cpu not in builds:
        raise BinaryNotFound(f"MediaMTX is not released for {system} on {machine}.")
    return f"mediamtx_{PINNED}_{system.lower()}_{cpu}.tar.gz"


def _already_here(cache: Path, environ: Mapping[str, str]) -> Path | None:
    named = environ.get("MEDIAMTX_BIN")
    if named:
        if not _is_program(Path(named)):
            raise BinaryNotFound(
                f"MEDIAMTX_BIN names {named}, which is no program that can be started."
            )
        return Path(named).resolve()
    in_path = shutil.which("mediamtx", path=environ.get("PATH", ""))
    if in_path is not None:
        return Path(in_path).resolve()
    kept = cached(cache)
    return kept if _is_program(kept) and _is_as_it_came(kept) else None


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_as_it_came(program: Path) -> bool:
    try:
        return _sum_file(program).read_text("utf-8") == _digest(program)
    except OSError:
        return False


def _sum_file(program: Path) -> Path:
    return program.with_name(f"{program.name}.sha256")


def _digest(program: Path) -> str:
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.asynccontextmanager
async def _session(
    given: aiohttp.ClientSession | None,
) -> AsyncIterator[aiohttp.ClientSession]:
    if given is not None:
        yield given
        return
    async with aiohttp.ClientSession(trust_env=True) as session:
        yield session


async def _fetch(
    session: aiohttp.ClientSession,
    release: str,
    asset: str,
    progress: Progress,
    patience: aiohttp.ClientTimeout,
) -> bytes:
    """The release's archive, checked. Raises BinaryNotFound."""
    host = urlsplit(release).hostname
    try:
        checksums = await _download(session, f"{release}/{CHECKSUMS}", patience)
        expected = _checksum(checksums, asset)
        archive = await _download(session, f"{release}/{asset}", patience, progress)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise BinaryNotFound(
            f"MediaMTX {PINNED} could not be fetched from {host}: {_reason(error)}."
        ) from error
    if not expected or hashlib.sha256(archive).hexdigest() != expected:
        raise BinaryNotFound(
            f"MediaMTX {PINNED} came from {host}, but not with its published checksum."
        )
    return archive


async def _download(
    session: aiohttp.ClientSession,
    url: str,
    patience: aiohttp.ClientTimeout,
    progress: Progress = lambda _: None,
) -> bytes:
    body = bytearray()
    shown = ""
    async with session.get(url, timeout=patience, raise_for_status=True) as response:
        total = response.content_length or 0
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if (line := _bar(len(body), total)) != shown:
                shown = line
                progress(shown)
    return bytes(body)


def _bar(done: int, total: int) -> str:
    if not total:
        return f"MediaMTX {PINNED}: {done / 1e6:.0f} MB"
    share = min(done / total, 1.0)
    bar = f"{'#' * int(share * 30):30}"
    return f"MediaMTX {PINNED} [{bar}] {share:4.0%} of {total / 1e6:.1f} MB"


def _checksum(listing: bytes, asset: str) -> str:
    """Lines as of `sha256sum -b`: the sum, a space, a star, the name."""
    for line in listing.decode(errors="replace").splitlines():
        digest, _, name = line.partition(" ")
        if name.lstrip(" *") == asset:
            return digest.lower()
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it answered {error.status}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "it cannot be reached"
    return "the connection broke"


def _unpack(archive: bytes, target: Path) -> None:
    """Puts the program into place whole or not at all, also beside another start. Its
    sum, by which it is known again, comes first; nobody else may write there."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / target.name
        with fresh.open("wb") as file:
            _copy_program(archive, file)
        fresh.chmod(0o755)
        fresh_sum = _sum_file(fresh)
        fresh_sum.write_text(_digest(fresh), "utf-8")
        fresh_sum.replace(_sum_file(target))
        fresh.replace(target)


def _copy_program(archive: bytes, file: IO[bytes]) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            program = files.extractfile("mediamtx")
            if program is None:
                raise KeyError
            shutil.copyfileobj(program, file)
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise BinaryNotFound("The release of MediaMTX holds no program.") from error
