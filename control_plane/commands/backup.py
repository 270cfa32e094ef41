"""``control-plane backup`` and ``restore``."""

import asyncio
import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from control_plane.base.dumps import Dump, DumpFailed, differences
from control_plane.base.schema import begin_anew
from control_plane.base.secrets import Secrets
from control_plane.commands.beside import explained, run, settings
from control_plane.commands.output import write_private
from control_plane.config.settings import Settings
from control_plane.roles.running import migrated

DUMP, ABOUT, MEDIA = "database.dump", "backup.json", "media.json"
Files = dict[str, dict[str, Any]]

folder = click.argument("folder", type=click.Path(path_type=Path))
programs = click.option(
    "--programs",
    type=click.Path(path_type=Path, exists=True),
    help="The folder of pg_dump and pg_restore.  [default: PATH]",
)


@click.command()
@folder
@programs
def backup(folder: Path, programs: Path | None) -> None:
    """Write a new folder: the database as it is in one moment, and a list of the media
    files. No secret and no media file is in it.

    CONTROL_PLANE_SECRET has to be kept elsewhere: without it stream keys and sign-ins
    of the backup are worth nothing.
    """
    known = settings()
    if folder.exists():
        raise click.ClickException(f"{folder} is there already.")
    with _explained(), _whole(folder) as half:
        rows = asyncio.run(Dump(owner(known), programs).save(half / DUMP))
        media = _media(known)
        write_private(half / MEDIA, json.dumps(media, indent=1))
        write_private(half / ABOUT, json.dumps(_about(known, half, rows), indent=1))
    click.echo(f"Saved: {sum(rows.values())} rows, and a list of {len(media)} files.")


@contextlib.contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A new one, which has its name at the end, or is gone."""
    half = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(mode=0o700, parents=True)
        yield half
        half.replace(folder)
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror}.") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


@click.command()
@folder
@programs
def restore(folder: Path, programs: Path | None) -> None:
    """Fill an empty database from a backup and prove it: every row is there, and the
    ledger adds up. Fails when something is wrong; the database is then not to be used.
    """
    known = settings()
    about, media = _noted(folder / ABOUT), _noted(folder / MEDIA)
    if about.get("sha256") != _sha256(folder / DUMP):
        raise click.ClickException(f"{folder / DUMP} is not what was written.")
    with _explained():
        rows = asyncio.run(Dump(owner(known), programs).load(folder / DUMP))
        wrong = differences(about["rows"], rows)
        asyncio.run(migrated(known))
        asyncio.run(begin_anew(owner(known)))
    wrong += ledger_faults()
    for name in wrong:
        click.echo(f"wrong: {name}", err=True)
    _warn(known, about, media)
    if wrong:
        raise click.ClickException("The database is not what was saved.")
    click.echo(f"{sum(rows.values())} rows are there, and the ledger adds up.")


def ledger_faults() -> list[str]:
    checks = run(lambda services: services.coins.audit.check())
    return [check.name for check in checks if check.faults]


def _warn(known: Settings, about: dict[str, Any], media: Files) -> None:
    if about["secret"] not in _marks(known):
        click.echo(
            "CONTROL_PLANE_SECRET is not that of the backup: stream keys and sign-ins"
            " of before are worth nothing.",
            err=True,
        )
    here = _media(known)
    for name, what in media.items():
        if here.get(name) != what:
            click.echo(f"media file missing or changed: {name}", err=True)


def _about(known: Settings, half: Path, rows: dict[str, int]) -> dict[str, Any]:
    return {
        "made_at": datetime.now(UTC).isoformat(),
        "version": metadata.version("live-control-plane"),
        "sha256": _sha256(half / DUMP),
        "secret": _marks(known)[0],
        "rows": rows,
    }


def owner(known: Settings) -> str:
    return known.migrations_url.get_secret_value() or known.direct_url


def _marks(known: Settings) -> list[str]:
    """By which secrets are known again, and nothing else."""
    secret, old = known.secret.get_secret_value(), known.old_secret.get_secret_value()
    return Secrets(secret, old).marks()


def _media(known: Settings) -> Files:
    """Size and hash of what this server serves itself."""
    root = known.media_folder
    if root is None:
        return {}
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): {
            "size": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in files
    }


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from None


def _noted(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file} is not what was written.")
    return found


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        with explained():
            yield
    except DumpFailed as error:
        raise click.ClickException(str(error)) from None
