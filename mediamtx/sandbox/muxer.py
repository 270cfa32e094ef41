"""ffmpeg turns one publisher's FLV into fmp4 HLS in a folder of its own.

It copies, so it costs little. It ends with our end of its standard input, also when
we are killed.
"""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

import imageio_ffmpeg

MASTER = "index.m3u8"
MEDIA = "video1_stream.m3u8"
FIRST_SEGMENT = 10.0  # seconds that a viewer waits for it at most
MOST_WAITING = 4 * 1024 * 1024  # bytes that ffmpeg may be behind


class TooSlow(Exception):
    """ffmpeg cannot follow this publisher."""


class Muxer:
    def __init__(self, folder: Path, segment: float) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self._segment = segment
        self.codecs: list[str] = []
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        options = f"""
            -hide_banner -loglevel error -fflags nobuffer
            -probesize 200000 -analyzeduration 1000000 -f flv -i pipe:0
            -c copy -f hls -hls_time {self._segment} -hls_list_size 6
            -hls_delete_threshold 4 -hls_flags delete_segments+independent_segments
            -hls_segment_type fmp4 -hls_fmp4_init_filename video1_init.mp4
            -hls_segment_filename video1_seg%d.mp4 {MEDIA}
        """
        self._process = await asyncio.create_subprocess_exec(
            imageio_ffmpeg.get_ffmpeg_exe(),
            *options.split(),
            stdin=asyncio.subprocess.PIPE,
            cwd=self.folder,
        )

    async def write(self, data: bytes) -> None:
        """Raises TooSlow when ffmpeg does not take it, or is gone."""
        if self._process is None or self._process.stdin is None or not self.running:
            raise TooSlow
        pipe = self._process.stdin
        pipe.write(data)
        if pipe.transport.get_write_buffer_size() < MOST_WAITING:
            return
        try:
            async with asyncio.timeout(5.0):
                await pipe.drain()
        except (TimeoutError, ConnectionError):
            raise TooSlow from None

    async def playlist(self, name: str) -> str | None:
        """Held until there are segments; None when none come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SEGMENT):
                while self.running:
                    media = self._text(MEDIA)
                    if media.count("#EXTINF") >= 2:
                        return self._master() if name == MASTER else media
                    await asyncio.sleep(0.05)
        return None

    def file(self, name: str) -> Path | None:
        """A segment; None for anything that is not in the folder."""
        path = self.folder / name
        return path if path.parent == self.folder and path.is_file() else None

    @property
    def tracks(self) -> list[str]:
        """MediaMTX's names for them, the picture first."""
        return [
            "H264" if codec.startswith("avc1") else "MPEG-4 Audio"
            for codec in sorted(self.codecs)
        ]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _master(self) -> str:
        """Ours, because ffmpeg leaves the stream out when FLV tells no bit rate."""
        codecs = ",".join(self.codecs)
        return (
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\n"
            f'#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="{codecs}"\n{MEDIA}\n'
        )

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text("utf-8")
        except OSError:
            return ""
