"""What encoders do that the clip's ffmpeg does not."""

import asyncio
import re

import pytest

from tests.contract.caller import METADATA, Facts, calling
from tests.contract.node import COPY, Node
from tests.contract.plane import KEY
from tests.support import media
from tests.support.process import Process

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENCE = (
    *("-f", "lavfi", "-i", "anullsrc=r=44100"),
    *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"),
)
FRAME = 1024  # samples that a frame of AAC lasts


async def frame_distance(node: Node, path: str) -> float:
    """Samples from one frame of the sound to the next, on average over 3 seconds."""
    url = f"http://{node.config.hls}/{path}/index.m3u8?token=VIEW"
    options = f"-v error -i {url} -map 0:a -c copy -t 3 -f framecrc -"
    ffmpeg, log = media.ffmpeg(), node.folder / f"{path[5:]}.log"
    viewer = await Process.start(log, ffmpeg, *options.split())
    try:
        assert await viewer.ended(30.0) == 0, log.read_text()
    finally:
        await viewer.kill()
    said = log.read_text()
    assert "#tb 0: 1/44100" in said
    times = [int(time) for time in re.findall(r"^0, +(\d+)", said, re.MULTILINE)]
    assert len(times) > 20, said
    return (times[-1] - times[0]) / (len(times) - 1)


async def test_silence_lasts_as_long_as_the_picture(node: Node) -> None:
    """Its messages are all alike, so that most of them begin without a header."""
    path = node.new_path()
    await node.go_live(path, how=SILENCE)
    assert await frame_distance(node, path) == pytest.approx(FRAME, rel=0.1)


@pytest.mark.parametrize("seconds", ["16776.215", "17000"])
async def test_a_broadcast_of_many_hours(node: Node, seconds: str) -> None:
    """The time 16777.215 means that it takes 4 bytes of its own, unless it was added
    up to it."""
    path = node.new_path()
    encoder, _ = await node.go_live(path, how=[*COPY, "-output_ts_offset", seconds])
    assert await frame_distance(node, path) == pytest.approx(FRAME, rel=0.1)
    assert encoder.running


async def test_an_encoder_with_newer_options(node: Node) -> None:
    """Enhanced RTMP names the codecs in an array."""
    async with calling(int(node.config.rtmp.rpartition(":")[2])) as caller:
        url, name = f"rtmp://{node.config.rtmp}/live", node.new_path()[5:]
        await caller.connect(url, more={"fourCcList": ["av01", "hvc1"]})
        caller.say("publish", 3.0, None, f"{name}?key={KEY}", "live", stream=1)
        await caller.until_heard(b"NetStream.Publish.Start")


@pytest.mark.parametrize("count", [0, 1, 20])
async def test_metadata_that_is_counted_otherwise(node: Node, count: int) -> None:
    async with calling(int(node.config.rtmp.rpartition(":")[2])) as caller:
        url, name = f"rtmp://{node.config.rtmp}/live", node.new_path()[5:]
        await caller.publish(url, f"{name}?key={KEY}")
        await caller.until_heard(b"NetStream.Publish.Start")
        facts = Facts({"width": 160.0, "codecs": ["avc1"]}, count)
        caller.say("@setDataFrame", "onMetaData", facts, stream=1, kind=METADATA)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await caller.until_hung_up()
