"""``control-plane demo``: a broadcaster that anybody can watch."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import aiohttp
import click

from control_plane.base.texts import visible
from control_plane.commands.unanswered import unanswered

SIZE = "640x360"


@click.command()
@click.option(
    "--url", default="", help="The service.  [default: http://127.0.0.1:8080]"
)
@click.option("--title", default="Demo", show_default=True)
def demo(url: str, title: str) -> None:
    """Sign in a demo broadcaster, go live with a moving test picture and sound, and
    go on until Ctrl-C. Started again in time, it resumes the same session."""
    port = os.environ.get("CONTROL_PLANE_PUBLIC_PORT", "8080")
    base = (url or f"http://127.0.0.1:{port}").rstrip("/")
    raise SystemExit(asyncio.run(_demo(base, title)))


async def _demo(base: str, title: str) -> int:
    try:
        session = await _started(base, title)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise unanswered(base, error) from None
    click.echo(f"Watch it:  {base}/watch/{session['id']}")
    click.echo("Ctrl-C stops it; the page then shows that it is reconnecting.")
    return await _publish(session["rtmp_url"])


async def _started(base: str, title: str) -> dict[str, str]:
    """The session of the demo broadcaster."""
    async with aiohttp.ClientSession() as http:
        user = await _post(
            http,
            f"{base}/api/registerUser",
            {"social": "google", "social_id": "demo", "username": "demo"},
        )
        headers = {"Auth-Token": user["User"]["auth_token"]}
        live = await _post(
            http, f"{base}/api/liveStream", {"title": title}, headers=headers
        )
    session: dict[str, str] = live["LiveStreaming"]
    return session


async def _post(
    http: aiohttp.ClientSession,
    url: str,
    body: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """ValueError: another program answered."""
    async with http.post(url, json=body, headers=headers) as response:
        try:
            answer = await response.json()
            code, msg = answer["code"], answer["msg"]
        except (aiohttp.ContentTypeError, ValueError, TypeError, KeyError):
            raise ValueError(f"it answered {response.status}") from None
    if code != 200:
        raise click.ClickException(visible(str(msg)))
    found: dict[str, Any] = msg
    return found


async def _publish(rtmp_url: str) -> int:
    """ffmpeg's exit code; 0 when it was stopped on purpose."""
    process = await asyncio.create_subprocess_exec(
        ffmpeg(), *_arguments(rtmp_url), stdin=asyncio.subprocess.DEVNULL
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    stopping = asyncio.create_task(stopped.wait())
    ending = asyncio.create_task(process.wait())
    await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
    if ending.done():
        stopping.cancel()
        click.echo("The publisher was cut, or could not publish.", err=True)
        return process.returncode or 1
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    await ending
    return 0


def ffmpeg() -> str:
    """FFMPEG_BIN; else the first with libx264, of PATH or the imageio-ffmpeg wheel."""
    if given := os.environ.get("FFMPEG_BIN"):
        return given
    for program in _installed():
        if _has_x264(program):
            return program
    raise click.ClickException(
        "No ffmpeg with libx264 was found: install one, or pip install imageio-ffmpeg."
    )


def _installed() -> Iterator[str]:
    if found := shutil.which("ffmpeg"):
        yield found
    with contextlib.suppress(ImportError, RuntimeError):
        import imageio_ffmpeg

        yield str(imageio_ffmpeg.get_ffmpeg_exe())


@cache
def _has_x264(program: str) -> bool:
    """Not every system's own has: its licence is another one."""
    asked = [program, "-hide_banner", "-encoders"]
    try:
        said = subprocess.run(asked, capture_output=True, check=False).stdout
    except OSError:
        return False
    return b" libx264 " in said


def _arguments(rtmp_url: str) -> list[str]:
    picture = f"testsrc2=size={SIZE}:rate=30"
    sound = "sine=frequency=330:beep_factor=4:sample_rate=44100"
    options = f"""
        -hide_banner -loglevel warning -re
        -f lavfi -i {picture} -f lavfi -i {sound}
        -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p
        -g 30 -b:v 800k -c:a aac -b:a 96k -f flv
    """
    return [*options.split(), rtmp_url]
