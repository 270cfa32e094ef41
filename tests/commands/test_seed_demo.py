"""The demo videos, with the ffmpeg of the machine or of the wheel."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from control_plane.commands.seed_demo import VIDEOS, NoVideo, seed_demo
from control_plane.wiring.services import Services, services
from tests.support.api import settings


@pytest.fixture
async def opened(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    async with services(settings(database_url, redis_url)) as found:
        yield found


async def shown(opened: Services) -> int:
    query = "SELECT count(*) FROM videos"
    return int(await opened.pool.fetchval(query))


@pytest.mark.parametrize("whose", ["the machine's", "the wheel's"])
async def test_every_ffmpeg_makes_all_of_them(
    opened: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    wheel = imageio_ffmpeg.get_ffmpeg_exe()
    ffmpeg = wheel if whose == "the wheel's" else shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("no ffmpeg on PATH")
    monkeypatch.setenv("FFMPEG_BIN", ffmpeg)
    assert await seed_demo(opened, tmp_path) == len(VIDEOS)


async def test_an_ffmpeg_without_libx264_is_passed_over(
    opened: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Fedora's own is: the wheel's has it."""
    ffmpeg = tmp_path / "ffmpeg"
    encoders = "*-encoders*) echo ' V....D libopenh264          OpenH264';;"
    refuse = "*) echo Unknown encoder >&2; exit 1;;"
    ffmpeg.write_text(f'#!/bin/sh\ncase "$*" in {encoders} {refuse} esac\n')
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("FFMPEG_BIN", raising=False)
    assert await seed_demo(opened, tmp_path) == len(VIDEOS)


async def test_one_that_cannot_be_made_does_not_stop_the_rest(
    opened: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ffmpeg that was built without one of the sources."""
    ffmpeg = tmp_path / "ffmpeg"
    refuse = 'case "$*" in *gradients*) echo No such filter >&2; exit 1;; esac'
    real = imageio_ffmpeg.get_ffmpeg_exe()
    ffmpeg.write_text(f'#!/bin/sh\n{refuse}\nexec "{real}" "$@"\n')
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("FFMPEG_BIN", str(ffmpeg))
    lacking = [video.name for video in VIDEOS if "gradients" in video.picture]
    with pytest.raises(NoVideo, match="No such filter") as caught:
        await seed_demo(opened, tmp_path)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == lacking
    assert await shown(opened) == len(VIDEOS) - len(lacking)
