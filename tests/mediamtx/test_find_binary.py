"""Finding MediaMTX, against a release server of our own."""

import asyncio
import contextlib
import hashlib
import io
import os
import platform
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mediamtx import binary
from mediamtx.binary import BinaryNotFound
from tests.support.ports import free_ports

HOME = {"PATH": "/nowhere"}
IMPATIENT = aiohttp.ClientTimeout(total=None, connect=1.0, sock_read=0.2)
PROGRAM = b"#!/bin/sh\necho v1.20.1\n" + b"#" * 300_000


def asset() -> str:
    return binary.asset_name(platform.system(), platform.machine())


def archive_of(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as files:
        entry = tarfile.TarInfo(name)
        entry.size = len(PROGRAM)
        files.addfile(entry, io.BytesIO(PROGRAM))
    return buffer.getvalue()


def checksums(archive: bytes) -> str:
    digest = hashlib.sha256(archive).hexdigest()
    return f"{'0' * 64} *mediamtx_v1.20.1_plan9_mips.tar.gz\n{digest} *{asset()}\n"


class Releases:
    """What the server has; ``hang`` names a file whose answer never comes."""

    def __init__(self, archive: bytes) -> None:
        self.files: dict[str, bytes] = {
            asset(): archive,
            binary.CHECKSUMS: checksums(archive).encode(),
        }
        self.hang = ""
        self.released = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == self.hang:
            await self.released.wait()
        if name not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[name])


@contextlib.asynccontextmanager
async def serving(releases: Releases) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/releases/v1.20.1/{name}", releases.answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/releases"))
        releases.released.set()


async def fetch(releases: Releases, cache: Path) -> tuple[Path, list[str]]:
    lines: list[str] = []
    async with serving(releases) as url, aiohttp.ClientSession() as http:
        found = await binary.find(cache, HOME, lines.append, http, url, IMPATIENT)
    return found, lines


async def refusal(releases: Releases, cache: Path) -> str:
    with pytest.raises(BinaryNotFound) as caught:
        await fetch(releases, cache)
    assert not binary.cached(cache).exists()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def program(path: Path) -> Path:
    path.write_bytes(PROGRAM)
    path.chmod(0o755)
    return path


async def test_it_fetches_the_pinned_release(tmp_path: Path) -> None:
    found, lines = await fetch(Releases(archive_of("mediamtx")), tmp_path / "cache")
    assert found == binary.cached(tmp_path / "cache")
    assert found.read_bytes() == PROGRAM
    assert os.access(found, os.X_OK)
    assert {path.name for path in found.parent.iterdir()} == {
        "mediamtx",
        "mediamtx.sha256",
    }
    assert "100%" in lines[-1]
    assert await binary.version_of(found) == "v1.20.1"


async def test_it_fetches_once(tmp_path: Path) -> None:
    first, _ = await fetch(Releases(archive_of("mediamtx")), tmp_path)
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    again = await binary.find(tmp_path, HOME, lambda _: None, base_url=dead)
    assert again == first


@pytest.mark.parametrize("other", [b"#!/bin/sh\necho v1.20.1\n", PROGRAM[:-1], b""])
async def test_one_that_is_not_as_it_came_is_fetched_again(
    tmp_path: Path, other: bytes
) -> None:
    first, _ = await fetch(Releases(archive_of("mediamtx")), tmp_path)
    first.write_bytes(other)
    again, _ = await fetch(Releases(archive_of("mediamtx")), tmp_path)
    assert again.read_bytes() == PROGRAM


async def test_one_that_is_not_as_it_came_is_never_started(tmp_path: Path) -> None:
    first, _ = await fetch(Releases(archive_of("mediamtx")), tmp_path)
    first.write_bytes(PROGRAM + b"\n")
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(BinaryNotFound):
        await binary.find(tmp_path, HOME, lambda _: None, base_url=dead)


async def test_it_takes_the_named_one_first(tmp_path: Path) -> None:
    named = program(tmp_path / "my server")
    program(tmp_path / "mediamtx")
    environ = {"MEDIAMTX_BIN": str(named), "PATH": str(tmp_path)}
    assert await binary.find(tmp_path, environ, lambda _: None) == named


async def test_it_takes_the_one_in_path(tmp_path: Path) -> None:
    there = program(tmp_path / "mediamtx")
    environ = {"PATH": f"/nowhere:{tmp_path}"}
    assert await binary.find(tmp_path / "cache", environ, lambda _: None) == there


@pytest.mark.parametrize("kind", ["missing", "a folder", "not executable"])
async def test_it_names_a_wrong_mediamtx_bin(kind: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    if kind == "a folder":
        wrong.mkdir()
    elif kind == "not executable":
        wrong.write_bytes(PROGRAM)
    program(tmp_path / "mediamtx")
    environ = {"MEDIAMTX_BIN": str(wrong), "PATH": str(tmp_path)}
    with pytest.raises(BinaryNotFound, match=r"MEDIAMTX_BIN names .*/wrong, which"):
        await binary.find(tmp_path, environ, lambda _: None)


async def test_it_refuses_a_wrong_checksum(tmp_path: Path) -> None:
    releases = Releases(archive_of("mediamtx"))
    releases.files[asset()] += b"more"
    assert "not with its published checksum" in await refusal(releases, tmp_path)


async def test_it_refuses_a_file_without_checksum(tmp_path: Path) -> None:
    releases = Releases(archive_of("mediamtx"))
    releases.files[binary.CHECKSUMS] = b"\xff\n"
    assert "not with its published checksum" in await refusal(releases, tmp_path)


async def test_it_refuses_an_archive_without_the_program(tmp_path: Path) -> None:
    assert "no program" in await refusal(Releases(archive_of("other")), tmp_path)
    assert "no program" in await refusal(Releases(b"no archive"), tmp_path)


async def test_it_says_what_the_server_answered(tmp_path: Path) -> None:
    releases = Releases(archive_of("mediamtx"))
    del releases.files[asset()]
    assert "from 127.0.0.1: it answered 404." in await refusal(releases, tmp_path)


@pytest.mark.parametrize("name", [binary.CHECKSUMS, asset()])
async def test_it_does_not_wait_for_ever(name: str, tmp_path: Path) -> None:
    releases = Releases(archive_of("mediamtx"))
    releases.hang = name
    async with asyncio.timeout(60):
        assert "no answer in time" in await refusal(releases, tmp_path)


async def test_it_says_that_nobody_is_there(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(BinaryNotFound, match=r"127\.0\.0\.1: it cannot be reached\.$"):
        await binary.find(tmp_path, HOME, lambda _: None, base_url=dead)


async def test_it_says_that_the_cache_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "cannot be written" in await refusal_in(file / "cache")


async def refusal_in(cache: Path) -> str:
    with pytest.raises(BinaryNotFound) as caught:
        await fetch(Releases(archive_of("mediamtx")), cache)
    return str(caught.value)


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "mediamtx_v1.20.1_linux_amd64.tar.gz"),
        ("Linux", "aarch64", "mediamtx_v1.20.1_linux_arm64.tar.gz"),
        ("Linux", "armv7l", "mediamtx_v1.20.1_linux_armv7.tar.gz"),
        ("Darwin", "arm64", "mediamtx_v1.20.1_darwin_arm64.tar.gz"),
    ],
)
def test_it_knows_the_names_of_the_release(
    system: str, machine: str, name: str
) -> None:
    assert binary.asset_name(system, machine) == name


@pytest.mark.parametrize(
    ("system", "machine"),
    [("Windows", "AMD64"), ("Linux", "riscv64"), ("Darwin", "armv7l"), ("", "")],
)
def test_it_says_that_there_is_no_release(system: str, machine: str) -> None:
    with pytest.raises(BinaryNotFound, match="is not released for"):
        binary.asset_name(system, machine)


async def test_it_asks_a_program_for_its_version(tmp_path: Path) -> None:
    for name, said in {"other": "GNU bash", "silent": ""}.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho {said}\n")
        path.chmod(0o755)
        with pytest.raises(BinaryNotFound, match="does not say which version"):
            await binary.version_of(path)
    with pytest.raises(BinaryNotFound, match="does not say which version"):
        await binary.version_of(tmp_path / "missing")
