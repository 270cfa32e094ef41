"""Pictures that ffmpeg makes of what anybody sends."""

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from control_plane.live.service import stills
from control_plane.live.service.stills import LARGEST, WIDTH, Stills
from control_plane.wiring.services import services
from tests.support import media
from tests.support.api import settings
from tests.support.stack import until


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the least priority of all that runs."""
    monkeypatch.setattr(stills, "PATIENCE", 120.0)


FRAGMENTED = "-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof pipe:1"


def video(size: str, source: str = "testsrc2") -> bytes:
    picture = f"-f lavfi -i {source}=size={size}:rate=10 -t 1 -c:v libx264 -g 10"
    options = f"{picture} -preset ultrafast -pix_fmt yuv420p {FRAGMENTED}"
    command = [media.ffmpeg(), *media.QUIET, *options.split()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height, of its start of frame."""
    at = jpeg.index(b"\xff\xc0")
    height, width = jpeg[at + 5 : at + 7], jpeg[at + 7 : at + 9]
    return int.from_bytes(width), int.from_bytes(height)


@pytest.mark.parametrize(
    ("size", "expected"),
    [("1280x720", (320, 180)), ("360x640", (320, 568)), ("160x120", (320, 240))],
)
async def test_a_picture_is_small(size: str, expected: tuple[int, int]) -> None:
    made = await Stills(media.ffmpeg()).of(video(size))
    assert made is not None
    assert size_of(made)[0] <= WIDTH
    assert size_of(made) == pytest.approx(expected, abs=2)
    assert len(made) <= LARGEST


async def test_what_is_no_video_gives_none() -> None:
    of = Stills(media.ffmpeg()).of
    good = video("320x180")
    for bad in (b"", b"\0" * 1000, os.urandom(100_000), good[:500]):
        assert await of(bad) is None
    assert await of(good + b"\xff" * 1000) is not None


async def test_ffmpeg_gets_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither our environment nor our priority, and no more than its share."""
    monkeypatch.setenv("CONTROL_PLANE_SECRET", "a secret of thirty-two characters")
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nenv; nice; ulimit -t; cat > /dev/null\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    said = await Stills(str(program)).of(b"video")
    assert said is not None
    assert b"CONTROL_PLANE" not in said
    assert said.split()[-2:] == [b"19", b"5"]


async def test_one_at_a_time_and_none_is_left_when_nobody_waits(tmp_path: Path) -> None:
    program, running = tmp_path / "ffmpeg", tmp_path / "running"
    program.write_text(f"#!/bin/sh\necho $$ >> {running}\nexec sleep 60\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    of = Stills(str(program)).of
    tasks = [asyncio.create_task(of(b"video")) for _ in range(3)]

    async def runs() -> str:
        return running.read_text() if running.exists() else ""

    [process_id] = (await until(runs)).split()
    for task in reversed(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert running.read_text().split() == [process_id]
    with pytest.raises(ProcessLookupError):
        os.kill(int(process_id), 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ffmpeg": "no-such-ffmpeg"}, "ffmpeg was not found"),
        ({"preview_seconds": 0}, "they are turned off"),
    ],
)
async def test_where_there_are_none_that_is_said_once(
    database_url: str, redis_url: str, changes: dict[str, object], reason: str
) -> None:
    wanted = settings(database_url, redis_url, **changes)
    with capture_logs() as logs:
        async with services(wanted) as opened, opened.previewing.running():
            assert REGISTRY.get_sample_value("control_plane_previews_enabled") == 0
    assert [one["reason"] for one in logs if "previews" in one["event"]] == [reason]
