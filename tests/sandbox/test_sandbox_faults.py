"""What happens to the sandbox node that does not happen to MediaMTX, or not so."""

import asyncio
import contextlib
import random
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mediamtx.sandbox import paths
from mediamtx.sandbox.config import read
from mediamtx.sandbox.muxer import Muxer
from mediamtx.sandbox.paths import Publisher
from mediamtx.sandbox.version import VERSIONS
from tests.contract.caller import calling
from tests.contract.node import Node, answers, running, start
from tests.contract.plane import KEY
from tests.support.stack import until

COMMAND = b"\x03" + bytes(3) + (40).to_bytes(3, "big") + b"\x14" + bytes(4)
LATER_CHUNK = b"\xc7" + bytes(64)  # of a message that never began
NOISE = random.Random(7).randbytes(4096)  # noqa: S311 # no secret, and each run the same


def port(node: Node) -> int:
    return int(node.config.rtmp.rpartition(":")[2])


def packager(node: Node) -> psutil.Process:
    """The ffmpeg of the one broadcast."""
    for child in psutil.Process(node.process.process.pid).children():
        with contextlib.suppress(psutil.Error):  # a hook that just ended
            if "hls" in child.cmdline():
                return child
    raise AssertionError("no ffmpeg runs")


async def nobody_connected(node: Node) -> None:
    async def look() -> bool:
        return await node.items("rtmpconns") == []

    await until(look)


async def still_good(node: Node) -> None:
    assert "Traceback" not in node.process.log.read_text()
    await nobody_connected(node)
    await node.go_live(node.new_path())


@pytest.mark.parametrize(
    "said", [b"", b"\x03", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", NOISE]
)
async def test_who_does_not_speak_rtmp(node: Node, said: bytes) -> None:
    async with calling(port(node)) as caller:
        caller.write(said)
    await still_good(node)


@pytest.mark.parametrize(
    "said", [NOISE, COMMAND + NOISE, LATER_CHUNK, COMMAND + b"\x02\xff\xff" + bytes(99)]
)
async def test_garbage_after_the_handshake(node: Node, said: bytes) -> None:
    async with calling(port(node)) as caller:
        await caller.shake_hands()
        caller.write(said)
    await still_good(node)


async def test_who_connects_and_says_nothing(node: Node) -> None:
    """Hung up on after readTimeout."""
    async with calling(port(node)) as caller:
        await caller.shake_hands()
        await caller.until_hung_up()
    await still_good(node)


async def test_a_second_stream_on_one_connection(node: Node) -> None:
    """Not taken: it would be let in as the first one was."""
    path, other = node.new_path(), node.new_path()
    url = f"rtmp://{node.config.rtmp}/live"
    async with calling(port(node)) as caller:
        await caller.publish(url, f"{path[5:]}?key={KEY}")
        await caller.until_heard(b"NetStream.Publish.Start")
        caller.say("publish", 4.0, None, f"{other[5:]}?key={KEY}", "live", stream=1)
        await caller.until_hung_up()
    assert node.plane.asked_about(other, "publish") == []


async def test_sessions_that_nobody_uses(node: Node) -> None:
    """They end without a word to the viewer; the next request gets 401."""
    path = node.new_path()
    await node.go_live(path)
    master = await node.master(path, "token=VIEW")
    media = f"/{path}/{master.text.splitlines()[-1]}"
    assert (await node.get(media)).status == 200

    async def look() -> bool:
        return await node.items("hlssessions") == []

    assert len(await node.items("hlssessions")) == 1
    await until(look)
    assert (await node.get(media)).status == 401
    listed = await node.path(path)
    assert listed is not None
    assert listed["readers"] == []


async def test_a_packager_that_dies(node: Node) -> None:
    """The broadcast ends, so that its encoder comes back to a good one."""
    path = node.new_path()
    encoder, source_id = await node.go_live(path)
    packager(node).kill()
    await node.plane.first_told(path, "not_ready", source_id)
    assert await encoder.ended() != 0


async def test_a_file_outside_of_the_broadcasts_folder(node: Node) -> None:
    path = node.new_path()
    await node.go_live(path)
    master = await node.master(path, "token=VIEW")
    session = master.text.splitlines()[-1].partition("?")[2]
    for name in ("..%2f..%2fetc%2fhosts.txt", "%2fetc%2fhosts.txt", "no.mp4"):
        seen = await node.get(f"/{path}/{name}?{session}")
        assert seen.status in (401, 404, 500), name


async def test_the_folder_of_a_broadcast_that_is_over(node: Node) -> None:
    path = node.new_path()
    encoder, _ = await node.go_live(path)
    folder = Path(packager(node).cwd())
    assert await asyncio.to_thread(folder.is_dir)
    await encoder.stop()

    async def look() -> bool:
        return not await asyncio.to_thread(folder.exists)

    await until(look)


async def test_the_folders_of_a_node_that_was_killed(node: Node) -> None:
    """The next node removes them, and leaves those of nodes that run."""
    await node.go_live(node.new_path())
    folder = Path(packager(node).cwd()).parent
    await node.process.kill()
    node.process = await start(node.kind, node.config, node.folder)
    await answers(node)
    assert not await asyncio.to_thread(folder.exists)


async def test_a_second_node(node: Node, tmp_path: Path) -> None:
    path = node.new_path()
    await node.go_live(path)
    second = tmp_path / "second"
    await asyncio.to_thread(second.mkdir)
    async with running("sandbox", second):
        assert (await node.master(path, "token=VIEW")).status == 200


async def test_a_key_in_what_is_not_understood(node: Node) -> None:
    """It does not get into the log."""
    async with calling(port(node)) as caller:
        await caller.publish(f"rtmp://{node.config.rtmp}/live", b"1?key=K3y_abc\xff")
        await caller.until_hung_up()
    log = node.process.log.read_text()
    assert "UnicodeDecodeError" in log
    assert KEY not in log


async def test_messages_that_never_end(node: Node) -> None:
    """Not kept: they would take all memory."""
    async with calling(port(node)) as caller:
        await caller.shake_hands()
        for stream in range(3, 64):
            head = bytes([stream]) + bytes(3) + b"\x40\x00\x00\x09" + bytes(4)
            caller.write(head + bytes(128))
        await caller.until_hung_up()
    assert "ValueError" in node.process.log.read_text()
    await still_good(node)


async def test_a_temporary_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my %d files"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    async with running("sandbox", tmp_path) as node:
        path = node.new_path()
        await node.go_live(path)
        assert (await node.master(path, "token=VIEW")).status == 200


async def test_a_replaced_publisher_stays_replaced_though_more_of_it_is_read(
    tmp_path: Path, node: Node
) -> None:
    """On a busy machine it is read on before it hears that it was replaced."""
    config = replace(
        read(next(node.folder.glob("*.yml"))), ready_commands=(), not_ready_commands=()
    )
    inside = paths.Node(config, VERSIONS["v1.20.1"], tmp_path)
    first, second = (Publisher(name, "127.0.0.1:1", path="live/1") for name in "ab")
    muxer = Muxer(tmp_path, 1.0)
    for publisher in (first, second, first):
        await inside.make_ready(publisher, muxer)
    assert inside.streams["live/1"].publisher is second
    assert not second.close.is_set()
