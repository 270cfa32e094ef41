"""A backup that is made while coins move holds all that was committed before, and the
restored database proves it."""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import Result

from control_plane.base.database import Pool, open_pool
from control_plane.base.dumps import Dump
from control_plane.base.schema import migrate
from control_plane.coins.service.audit import Audit
from control_plane.people.store import users
from deploy.local.folder import CHECKOUT
from deploy.local.place import Urls, installed
from tests.support.commands import command
from tests.support.log import bonus, whole_log
from tests.support.money import new_session, new_user
from tests.support.process import Process
from tests.support.small_disk import small_folder
from tests.support.stack import until
from tests.support.standby import Pair

SPENDER = CHECKOUT / "tests/coins/spender.py"
GIVERS = 5


class Site:
    """One installation: a database, a secret and media files."""

    def __init__(self, urls: Urls, redis_url: str, media: Path) -> None:
        self.env = {
            "DATABASE_URL": urls.service,
            "CONTROL_PLANE_MIGRATIONS_URL": urls.owner,
            "REDIS_URL": redis_url,
            "CONTROL_PLANE_SECRET": "s" * 32,
            "CONTROL_PLANE_MEDIA_FOLDER": str(media),
        }

    async def run(self, *words: str) -> Result:
        """With the programs of the server that the tests run."""
        programs = []
        if "DATABASE_URL" not in os.environ:
            programs = ["--programs", str(_programs())]
        return await command(self.env, *words, *programs)


def _programs() -> Path:
    packages, name = installed()
    return packages / name / "bin"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def old(database: Urls, redis_url: str, media: Path) -> Site:
    return Site(database, redis_url, media)


@pytest.fixture
def new(empty_database: Urls, redis_url: str, media: Path) -> Site:
    return Site(empty_database, redis_url, media)


async def test_a_backup_under_load_is_whole(
    old: Site, new: Site, database: Urls, empty_database: Urls, tmp_path: Path
) -> None:
    async with open_pool(database.service) as pool:
        spender = await _spending(pool, database.service, tmp_path / "said")
        try:
            # Begun before the backup, so that each of these is committed.
            said = await until(lambda: _printed(tmp_path / "said", 50), pause=0.01)
            saved = await old.run("backup", str(tmp_path / "backup"))
            after = len(await _printed(tmp_path / "said", 0))
        finally:
            await spender.kill()
    assert saved.exit_code == 0, saved.output
    assert after > len(said)
    restored = await new.run("restore", str(tmp_path / "backup"))
    assert restored.exit_code == 0, restored.output
    async with open_pool(empty_database.service) as pool:
        assert [one for one in await Audit(pool).check() if one.faults] == []
        await _all_there(pool, said)


async def _spending(pool: Pool, url: str, log: Path) -> Process:
    session = await new_session(pool, await new_user(pool))
    givers = [str(await new_user(pool, 60)) for _ in range(GIVERS)]
    words = (str(SPENDER), url, "1", str(session), ",".join(givers))
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return await Process.start(log, sys.executable, *words, env=env)


async def _printed(log: Path, least: int) -> list[str]:
    lines = log.read_bytes().splitlines(keepends=True)  # noqa: ASYNC240
    whole = [line.decode() for line in lines if line.endswith(b"\n")]
    return whole if len(whole) >= least else []


async def _all_there(pool: Pool, said: list[str]) -> None:
    """What was answered, and each gift's event."""
    gifts = [int(line.split()[1]) for line in said if line.startswith("gift ")]
    found = await pool.fetchval(
        "SELECT count(*) FROM gift_transactions WHERE id = ANY($1)", gifts
    )
    assert found == len(gifts) > 0
    kept = await pool.fetchval("SELECT count(*) FROM gift_transactions")
    events = "SELECT count(*) FROM events WHERE type = 'gift.sent'"
    assert await pool.fetchval(events) == kept


async def test_no_id_that_a_receiver_remembers_is_given_to_another_event(
    old: Site, new: Site, database: Urls, empty_database: Urls, tmp_path: Path
) -> None:
    """Nor one of those that came after the backup."""
    folder = str(tmp_path / "backup")
    async with open_pool(database.service) as pool:
        user = await new_user(pool)
        await bonus(pool, user)
        assert (await old.run("backup", folder)).exit_code == 0
        for _ in range(3):
            await bonus(pool, user)
        told = await until(lambda: _ids(pool, 4))
    assert (await new.run("restore", folder)).exit_code == 0
    async with open_pool(empty_database.service) as pool:
        await bonus(pool, user)
        kept, given = await until(lambda: _ids(pool, 2))
    assert kept == told[0]
    assert given not in told
    shown = await command(new.env, "events", "show", given, "--json")
    assert json.loads(shown.stdout)["id"] == given


async def test_who_came_after_the_backup_has_signed_in_to_nobodys_account(
    old: Site, new: Site, database: Urls, empty_database: Urls, tmp_path: Path
) -> None:
    """A token names an id and a version of its sign-ins."""
    folder = str(tmp_path / "backup")
    async with open_pool(database.service) as pool:
        assert (await old.run("backup", folder)).exit_code == 0
        late = await _newcomer(pool)
    assert (await new.run("restore", folder)).exit_code == 0
    async with open_pool(empty_database.service) as pool:
        other = await _newcomer(pool)
    assert late[0] == other[0]
    assert late[1] < other[1]


async def _newcomer(pool: Pool) -> tuple[int, int]:
    user = await users.get(pool, await new_user(pool))
    assert user is not None
    return user.id, user.token_version


async def _ids(pool: Pool, count: int) -> list[str]:
    """Of all events, once there are so many."""
    found = [event.id for event in await whole_log(pool)]
    return found if len(found) == count else []


async def test_no_secret_is_in_it(old: Site, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert (await old.run("backup", str(folder))).exit_code == 0
    assert folder.stat().st_mode & 0o077 == 0
    text = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"s" * 32 not in text
    again = await old.run("backup", str(folder))
    assert "is there already" in again.output


async def test_what_is_not_there_is_told(
    old: Site, new: Site, media: Path, tmp_path: Path
) -> None:
    folder = str(tmp_path / "backup")
    assert (await old.run("backup", folder)).exit_code == 0
    (media / "b.mp4").unlink()
    new.env["CONTROL_PLANE_SECRET"] = "t" * 32
    said = await new.run("restore", folder)
    assert said.exit_code == 0
    assert "missing or changed: b.mp4" in said.output
    assert "a.mp4" not in said.output
    assert "CONTROL_PLANE_SECRET is not that of the backup" in said.output


async def test_a_full_disk_is_told_and_nothing_left_on_it(
    old: Site, tmp_path: Path
) -> None:
    async with small_folder(tmp_path, "64k") as disk:
        said = await old.run("backup", str(disk / "backup"))
        assert said.exit_code == 1
        assert "No space left on device" in said.output
        assert list(disk.iterdir()) == []


async def test_a_database_in_use_is_left_alone(old: Site, tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    assert (await old.run("backup", folder)).exit_code == 0
    said = await old.run("restore", folder)
    assert said.exit_code == 1
    assert "has tables already" in said.output


async def test_a_damaged_backup_is_refused(
    old: Site, new: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    assert (await old.run("backup", str(folder))).exit_code == 0
    dump = folder / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    said = await new.run("restore", str(folder))
    assert said.exit_code == 1
    assert "is not what was written" in said.output


@pytest.mark.parametrize("name", ["backup.json", "media.json"])
async def test_notes_that_were_cut_are_named(
    old: Site, new: Site, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "backup"
    assert (await old.run("backup", str(folder))).exit_code == 0
    notes = folder / name
    notes.write_bytes(notes.read_bytes()[:-2])
    refused = await new.run("restore", str(folder))
    assert refused.exit_code == 1
    assert f"{notes} is not what was written." in refused.output


async def test_of_several_servers_the_primary_is_saved(
    server_folder: Path, tmp_path: Path
) -> None:
    """The first one became the standby, and nobody wrote the address anew."""
    async with Pair(server_folder).running() as pair:
        await migrate(pair.url)
        url = pair.standby_first
        saved = await Dump(url, _programs()).save(tmp_path / "dump")
    assert saved["users"] == 0
