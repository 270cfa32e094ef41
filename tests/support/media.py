"""Pictures and sound: encoded once for a whole run, and copied from then on, which
costs next to nothing."""

import os
import subprocess
from pathlib import Path

import imageio_ffmpeg

from control_plane.commands.seed_demo import VIDEOS

#: Where clips are kept: whoever runs sets it, tests/conftest.py for all workers.
FOLDER: Path | None = None

FPS = 10
#: A minute of a small moving picture.
PICTURE = """
    -f lavfi -i testsrc=size=160x120:rate={fps} -f lavfi -i sine=frequency=300 -t 60
    -c:v libx264 -preset ultrafast -profile:v baseline -pix_fmt yuv420p -g {gop}
"""
SOUNDS = {
    "aac": "-ar 44100 -c:a aac -b:a 48k",
    "opus": "-ar 48000 -ac 2 -c:a libopus -b:a 48k",
}
QUIET = ("-hide_banner", "-loglevel", "error", "-nostdin")


def ffmpeg() -> str:
    """The wheel's: the same on every machine."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def endless(sound: str = "aac", key_frames: float = 0.5) -> list[str]:
    """ffmpeg's options for the clip as an input, in real time, again and again.
    ``key_frames``: seconds from one to the next."""
    clip = _clip(sound, round(key_frames * FPS))
    return [*QUIET, *["-re", "-stream_loop", "-1", "-i"], str(clip)]


def _clip(sound: str, gop: int) -> Path:
    """Workers that come at once make the same."""
    assert FOLDER is not None, "nobody said where"
    file = FOLDER / f"{sound}-{gop}.mp4"
    if not file.exists():
        half = FOLDER / f"{os.getpid()}-{file.name}"
        picture = PICTURE.format(fps=FPS, gop=gop)
        options = (*QUIET, *picture.split(), *SOUNDS[sound].split())
        subprocess.run([ffmpeg(), *options, str(half)], check=True)
        half.replace(file)
    return file


def fill_with_stand_ins(folder: Path) -> None:
    """Empty demo videos, for those who do not look: what is there is not made."""
    folder.mkdir(parents=True, exist_ok=True)
    for video in VIDEOS:
        for kind in ("mp4", "jpg"):
            folder.joinpath(f"{video.name}.{kind}").touch()
