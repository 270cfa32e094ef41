"""``control-plane seed-demo``: five short videos that play, made on the spot."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from control_plane.commands.beside import run, settings
from control_plane.commands.demo import ffmpeg
from control_plane.people.model.users import NewUser
from control_plane.people.service.accounts import Identity
from control_plane.videos.model.videos import NewVideo
from control_plane.wiring.services import Services

WIDTH, HEIGHT = 360, 640
SECONDS = 5
RATE = 24  # pictures a second


@dataclass(frozen=True)
class DemoVideo:
    name: str  # of its files
    author: str
    description: str
    picture: str  # a source of ffmpeg's
    tone: int  # Hz


SIZE = f"size={WIDTH}x{HEIGHT}:rate={RATE}"
RAYS = "type=spiral:nb_colors=4:c0=0x0b3d66:c1=0x9fd8ff:c2=0x0b3d66:c3=0x9fd8ff"
#: All of them from sources that ffmpeg 5.1 has.
VIDEOS = (
    DemoVideo("demo-1", "mia", "Good morning #colours", f"testsrc2={SIZE}", 262),
    DemoVideo("demo-2", "noah", "Under water", f"gradients={SIZE}:{RAYS}", 294),
    DemoVideo("demo-3", "mia", "Slow sunset", f"gradients={SIZE}:speed=0.02", 330),
    DemoVideo("demo-4", "lina", "Zoom in #fractal", f"mandelbrot={SIZE}", 349),
    DemoVideo("demo-5", "noah", "Triangles", f"sierpinski={SIZE}", 392),
)


class NoVideo(Exception):
    """ffmpeg's last words."""


@click.command("seed-demo")
def seed_demo_command() -> None:
    """Put five demo videos into the feed, unless they are there already."""
    known = settings()
    if not known.development:
        raise click.ClickException("Demo videos are for development only.")
    folder = known.media_folder
    if folder is None:
        raise click.ClickException("CONTROL_PLANE_MEDIA_FOLDER is not set.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        added = run(lambda services: seed_demo(services, folder))
    except NoVideo as error:
        raise click.ClickException(f"ffmpeg did not make all videos: {error}") from None
    click.echo(f"{added} demo videos are new." if added else "They are there already.")


async def seed_demo(services: Services, folder: Path) -> int:
    """How many are new. ``folder`` exists. Files come first: what is shown, plays.
    Raises NoVideo for those that cannot be made, once the others are there."""
    added = 0
    failed = []
    for video in VIDEOS:
        try:
            await _make(video, folder)
        except NoVideo as error:
            failed.append(f"{video.name}: {error}")
        else:
            added += await _add(services, video)
    if failed:
        raise NoVideo("\n".join(failed))
    return added


async def _add(services: Services, video: DemoVideo) -> bool:
    # Nobody can sign in as this provider.
    author = await services.accounts.sign_in(
        [Identity("demo", video.author, verified=False)],
        NewUser(username=f"demo_{video.author}", first_name=video.author.title()),
    )
    return await services.videos.add(
        NewVideo(
            user_id=author.user.id,
            description=video.description,
            video_url=f"/media/{video.name}.mp4",
            thumbnail_url=f"/media/{video.name}.jpg",
            duration=float(SECONDS),
            width=WIDTH,
            height=HEIGHT,
        )
    )


async def _make(video: DemoVideo, folder: Path) -> None:
    """Each file appears whole or not at all."""
    movie, picture = folder / f"{video.name}.mp4", folder / f"{video.name}.jpg"
    if not movie.exists():
        await _ffmpeg(movie, *_movie(video))
    if not picture.exists():
        await _ffmpeg(picture, "-ss", "1", "-i", str(movie), "-frames:v", "1")


def _movie(video: DemoVideo) -> list[str]:
    sound = f"sine=frequency={video.tone}:sample_rate=44100"
    options = f"""
        -f lavfi -i {video.picture} -f lavfi -i {sound} -t {SECONDS}
        -c:v libx264 -preset veryfast -crf 30 -pix_fmt yuv420p -g {RATE}
        -c:a aac -b:a 64k -af volume=0.2 -movflags +faststart
    """
    return options.split()


async def _ffmpeg(target: Path, *options: str) -> None:
    part = target.with_name(f"part-{target.name}")
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *options, str(part)),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, words = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise NoVideo(words.decode(errors="replace").strip()[-300:])
    part.replace(target)
