"""One small picture of a piece of video, made by ffmpeg.

What it reads is anybody's, so it gets no environment, no network and little of this
machine: one thread at the lowest priority, so much memory and processor, so long.
"""

import asyncio
import contextlib
import shutil

WIDTH, HEIGHT = 320, 568  # at most; a phone's picture stands upright
LARGEST = 40_000  # bytes
PATIENCE = 10.0  # seconds
#: Kilobytes, and seconds of processor. A system that knows no such limit goes without.
LIMITED = """
ulimit -v 1500000 2>/dev/null
ulimit -t 5 2>/dev/null
exec nice -n 19 "$@"
"""
OPTIONS = f"""
    -hide_banner -nostdin -loglevel quiet -protocol_whitelist pipe
    -threads 1 -filter_threads 1 -probesize 100000 -analyzeduration 0
    -skip_frame nokey -f mp4 -i pipe:0 -map 0:v:0 -frames:v 1
    -vf scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease:force_divisible_by=2
    -threads 1 -c:v mjpeg -q:v 6 -f image2pipe pipe:1
"""


class Stills:
    """One at a time. ``program``: ffmpeg's name or path."""

    def __init__(self, program: str) -> None:
        self._program = shutil.which(program)
        self._turn = asyncio.Lock()

    @property
    def possible(self) -> bool:
        return self._program is not None

    async def of(self, video: bytes) -> bytes | None:
        """A JPEG of its first key frame. None where there is none to be made."""
        if self._program is None:
            return None
        async with self._turn:
            made = await _run(self._program, video)
        return made if 0 < len(made) <= LARGEST else None


async def _run(program: str, video: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", LIMITED, "sh", program, *OPTIONS.split()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate(video)
            return said
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
