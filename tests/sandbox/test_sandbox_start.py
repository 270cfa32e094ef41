"""What the sandbox node says when it starts, and when it cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mediamtx.render import NodeConfig, render
from mediamtx.sandbox.config import ConfigError, read
from tests.contract.node import Node
from tests.support.ports import free_ports
from tests.support.process import Process
from tests.support.stack import until

Changes = dict[str, object]
ENDPOINT = "http://127.0.0.1:9/auth"


def written(folder: Path, changes: Changes) -> Path:
    rtmp, hls, api = (f"127.0.0.1:{port}" for port in free_ports(3))
    config = NodeConfig(auth_url=ENDPOINT, rtmp=rtmp, hls=hls, api=api)
    settings = yaml.safe_load(render(config)) | changes
    file = folder / "mediamtx.yml"
    file.write_text(yaml.safe_dump(settings))
    return file


async def started(folder: Path, changes: Changes) -> Process:
    return await run(folder, str(written(folder, changes)))


async def run(folder: Path, file: str) -> Process:
    command = (sys.executable, "-m", "mediamtx.sandbox", file)
    return await Process.start(folder / "node.log", *command)


async def refusal(process: Process) -> str:
    """The one sentence with which it gave up."""
    try:
        assert await process.ended() == 1
    finally:
        await process.kill()
    lines = process.log.read_text().splitlines()
    said = [line for line in lines if not line.startswith("WAR")]
    assert len(said) == 1, lines
    assert said[0].startswith("ERR ")
    assert said[0].endswith(".")
    return said[0]


@pytest.mark.parametrize("server", ["rtmp", "hls", "api"])
async def test_a_port_in_use(tmp_path: Path, server: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = await started(tmp_path, {f"{server}Address": address})
        said = await refusal(process)
    assert said.startswith(f"ERR [{server.upper()}] cannot listen on {address}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rtmpAddress", None),
        ("hlsAddress", "8888"),
        ("apiAddress", "127.0.0.1:http"),
        ("authHTTPAddress", None),
        ("authHTTPAddress", "127.0.0.1:8081"),
        ("authHTTPExclude", ["api"]),
        ("apiAllowOrigins", "*"),
        ("paths", {}),
        ("paths", {"~^live/(": {}}),
        ("readTimeout", 10),
        ("hlsSegmentDuration", "soon"),
    ],
)
async def test_a_setting_that_is_wrong(
    tmp_path: Path, name: str, value: object
) -> None:
    file = written(tmp_path, {name: value})
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value) == f"{file}: {name} is missing or wrong."


@pytest.mark.parametrize("content", [b"paths: [", b"\xff\xfe", b"- one\n- two", b""])
async def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mediamtx.yml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read(file)
    said = str(caught.value)
    assert said.startswith(str(file))
    assert "\n" not in said


async def test_what_is_wrong_with_its_file_is_one_sentence(tmp_path: Path) -> None:
    process = await started(tmp_path, {"rtmpAddress": None})
    assert "rtmpAddress is missing or wrong" in await refusal(process)
    process.log.unlink()
    assert "nothing.yml" in await refusal(await run(tmp_path, "nothing.yml"))


async def test_what_it_is(node: Node) -> None:
    """In its log and on its page: nobody takes it for more."""
    log = node.process.log.read_text()
    assert "not for production" in log.splitlines()[0]
    page = await node.get("/live/1/?token=VIEW")
    assert (page.status, page.text) == (200, "sandbox node: not for production\n")


async def test_the_secret_is_not_in_its_log(node: Node) -> None:
    assert "n0de-s3cret" not in node.process.log.read_text()


async def test_protocols_that_it_lacks(tmp_path: Path) -> None:
    """Named, and no reason not to start."""
    process = await started(tmp_path, {"srt": True, "webrtc": True, "rtsp": False})

    async def look() -> bool:
        return "[API] listener opened" in process.log.read_text()

    try:
        await until(look)
        log = process.log.read_text()
        assert "WAR srt is not served by the sandbox node" in log
        assert "WAR webrtc is not served by the sandbox node" in log
        assert "rtsp" not in log
    finally:
        await process.stop()
    assert process.process.returncode == 0


def test_importing_it_leaves_the_root_logger_alone() -> None:
    """What it takes RTMP in with sets that to DEBUG and gives it a handler."""
    look = "import logging; root = logging.getLogger();"
    show = "print(root.level, root.handlers)"
    program = f"{look} {show}; import mediamtx.sandbox.rtmp; {show}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
    )
    before, after = done.stdout.splitlines()
    assert before == after == "30 []"
    assert done.stderr == ""
