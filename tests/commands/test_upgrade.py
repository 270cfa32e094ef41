"""What 0.1.0 wrote itself, in first_version.sql, goes on in a new database: users stay
signed in, coins are theirs, keys open their channels, and no number changes."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
import pytest
from click.testing import Result

from control_plane.base.database import open_pool
from control_plane.base.first_version import TABLES
from control_plane.base.hosts import AWAY
from control_plane.base.secrets import Secrets
from control_plane.coins.service.audit import Audit
from control_plane.events.model import BEGINNING
from control_plane.events.reading import Page, Reading, Wanted
from control_plane.events.types import KINDS
from deploy.local.place import Urls
from tests.hooks.conftest import Service, publish
from tests.support.api import API, App, running, settings
from tests.support.commands import command
from tests.support.service import serve
from tests.support.stack import until

OLD_ROWS = Path(__file__).parent / "first_version.sql"
SECRET = "0.1.0-has-kept-this-for-its-users"
#: Signed by 0.1.0, for ten years.
TOKENS = {
    "ann": "WzQsMSwxNzk1OTcwNDgyLDIxMTEzMzA0ODJd._EjioNBd_Hy__XiWIjvRgQ",
    "bob": "WzUsMSwxNzk1OTcwNDgyLDIxMTEzMzA0ODJd.ntnXlaeiLcdm49-UA7hwlw",
    "cat": "WzYsMSwxNzk1OTcwNDgyLDIxMTEzMzA0ODJd.Rs571CewWUnrqH9NGQhwsQ",
    "dan": "WzcsMSwxNzk1OTcwNDgyLDIxMTEzMzA0ODJd.yRF1suULk4vRo6iyNmgtQg",
    "eve": "WzgsMSwxNzk1OTcwNDgyLDIxMTEzMzA0ODJd.rqC_nrEZWDWUDUhTznLV0g",
}
ANN, BOB, CAT, EVE = 4, 5, 6, 8
#: Of cat's channel.
OBS_KEY = "cJFv33GiZE2clrXY_a_bINaUVwk"
#: A request of bob's that 0.1.0 answered.
GIFT = {"receiver_id": ANN, "gift_id": 2, "gift_count": 20, "live_streaming_id": "1"}
#: Names, columns and rows as they are in either.
AS_IT_WAS = {
    "users": "id, username, first_name, bio, token_version, banned_at, deleted_at, seq",
    "wallets": "user_id, paid, bonus, earnings, hold, owed, received",
    "ledger_entries": "transfer_id, account, user_id, amount",
    "channels": "id, user_id, name, path",
    "stream_keys": "id, user_id, session_id, channel_id, hash, revoked_at",
    "live_streaming_sessions": "id, user_id, path, status, publisher_id, end_reason",
    "withdraw_requests": "id, user_id, amount_minor, status, hold_transfer_id",
    "purchases": "id, user_id, transaction_id, coins, status, transfer_id",
    "videos": "id, user_id, video_url, like_count",
    "identities": "provider, subject, user_id",
}


class Site:
    """The database of 0.1.0, with what that wrote, and a new one."""

    def __init__(self, old: Urls, new: Urls, redis_url: str) -> None:
        self.old, self.new = old.owner, new.service
        self.wanted = settings(new.service, redis_url, secret=SECRET)
        self._env = {
            "DATABASE_URL": new.service,
            "CONTROL_PLANE_MIGRATIONS_URL": new.owner,
            "REDIS_URL": redis_url,
            "CONTROL_PLANE_SECRET": SECRET,
        }

    async def run(self, *words: str, **env: str) -> Result:
        return await command(self._env | env, *words)

    async def upgrade(self, *words: str) -> Result:
        return await self.run("upgrade", "--from", self.old, *words)

    async def rows(self, url: str, table: str, columns: str = "1") -> list[str]:
        query = f"SELECT ROW({columns})::text FROM {table} ORDER BY 1"  # noqa: S608
        async with open_pool(url, 1) as pool:
            return [row[0] for row in await pool.fetch(query)]

    async def write(self, statement: str) -> None:
        """In the old one, as 0.1.0 would."""
        connection = await asyncpg.connect(self.old)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture
async def site(empty_database: Urls, database: Urls, redis_url: str) -> Site:
    found = Site(empty_database, database, redis_url)
    await found.write(OLD_ROWS.read_text("utf-8"))
    return found


@pytest.fixture
async def app(site: Site) -> AsyncIterator[App]:
    """The present version, after the upgrade."""
    done = await site.upgrade()
    assert done.exit_code == 0, done.output
    async with running(site.wanted, API) as opened:
        yield opened


async def test_migrate_says_what_to_do(site: Site) -> None:
    before = await site.rows(site.old, "pg_class", "relname")
    refused = await site.run("migrate", CONTROL_PLANE_MIGRATIONS_URL=site.old)
    assert refused.exit_code == 1
    assert "version 0.1.0" in refused.output
    assert "`control-plane upgrade`" in refused.output
    assert await site.rows(site.old, "pg_class", "relname") == before


async def test_nothing_is_lost(site: Site) -> None:
    done = await site.upgrade()
    assert done.exit_code == 0, done.output
    assert "the ledger adds up" in done.output
    for table, columns in AS_IT_WAS.items():
        before = await site.rows(site.old, table, columns)
        assert before
        assert await site.rows(site.new, table, columns) == before
    async with open_pool(site.new, 1) as pool:
        assert [one for one in await Audit(pool).check() if one.faults] == []


async def test_a_rehearsal_changes_nothing(site: Site) -> None:
    said = await site.upgrade("--rehearse")
    assert said.exit_code == 0, said.output
    assert "Nothing was kept" in said.output
    assert await site.rows(site.new, "users", "id") == []
    await site.write("UPDATE users SET bio = 'still here' WHERE id = 5")
    done = await site.upgrade()
    assert done.exit_code == 0, done.output
    assert '("still here")' in await site.rows(site.new, "users", "bio")


async def test_from_then_on_the_old_one_takes_no_writes(site: Site) -> None:
    connected = await asyncpg.connect(site.old)
    assert (await site.upgrade()).exit_code == 0
    with pytest.raises(AWAY):
        await connected.execute("UPDATE users SET bio = 'lost'")
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await site.write("UPDATE users SET bio = 'lost'")
    assert await site.rows(site.old, "users", "id")
    again = await site.upgrade()
    assert "used already" in again.output


async def test_what_cannot_be_copied_is_said_and_the_old_one_goes_on(
    site: Site,
) -> None:
    """0.1.0 let a channel have somebody else's name."""
    await site.write("UPDATE users SET username = 'Cats' WHERE id = 5")
    refused = await site.upgrade()
    assert refused.exit_code == 1
    assert "two users each" in refused.output
    assert "cats" in refused.output
    assert await site.rows(site.new, "users", "id") == []
    await site.write("UPDATE users SET username = 'bob' WHERE id = 5")
    assert (await site.upgrade()).exit_code == 0


async def test_wallets_that_do_not_add_up_are_not_copied(site: Site) -> None:
    await site.write(
        "ALTER TABLE wallets DISABLE TRIGGER USER;"
        "UPDATE wallets SET paid = paid + 1 WHERE user_id = 5;"
        "ALTER TABLE wallets ENABLE TRIGGER USER"
    )
    refused = await site.upgrade()
    assert refused.exit_code == 1
    assert "1 wallets do not hold what their entries say" in refused.output


async def test_another_database_is_refused(site: Site) -> None:
    refused = await site.run("upgrade", "--from", site.new)
    assert "not one of version 0.1.0" in refused.output


async def test_after_one_that_was_killed_it_is_run_again(site: Site) -> None:
    await site.write(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I"
        " SET default_transaction_read_only = on', current_database()); END $$"
    )
    done = await site.upgrade()
    assert done.exit_code == 0, done.output


async def test_who_owns_nothing_is_told(site: Site, empty_database: Urls) -> None:
    if empty_database.service == empty_database.owner:
        pytest.skip("DATABASE_URL names one role for everything")
    refused = await site.run("upgrade", "--from", empty_database.service)
    assert "Name the owner of the databases" in refused.output
    assert (await site.upgrade()).exit_code == 0


async def test_users_stay_signed_in(app: App) -> None:
    found = {
        name: (await app.ask("showUserDetail", {}, token))["User"]
        for name, token in TOKENS.items()
        if name in ("ann", "bob", "cat")
    }
    assert {name: user["id"] for name, user in found.items()} == {
        "ann": ANN,
        "bob": BOB,
        "cat": CAT,
    }
    assert {name: user["wallet"] for name, user in found.items()} == {
        "ann": 363,
        "bob": 990,
        "cat": 520,
    }
    assert found["ann"]["total_all_time_coins"] == 763
    assert found["ann"]["followers_count"] == 2
    assert found["ann"]["bio"].startswith("Ötzi & I\n")


async def test_who_was_out_stays_out(app: App, site: Site) -> None:
    """The banned, and those who deleted their accounts; a ban can be lifted."""
    for name in ("dan", "eve"):
        await app.refused("showUserDetail", {}, TOKENS[name])
    lifted = await site.run("unban", str(EVE))
    assert lifted.exit_code == 0, lifted.output
    assert (await app.sign_in("eve")).id == EVE


async def test_an_old_sign_in_ends_alone(app: App) -> None:
    await app.ask("logout", {}, TOKENS["ann"])
    await app.refused("showUserDetail", {}, TOKENS["ann"])
    await app.ask("showUserDetail", {}, TOKENS["bob"])


async def test_a_request_that_0_1_0_answered_counts_no_second_time(app: App) -> None:
    headers = {"Auth-Token": TOKENS["bob"], "Idempotency-Key": "gift-1"}
    again = await app.raw("sendGift", json.dumps(GIFT), headers)
    assert again["code"] == 200
    assert again["msg"]["GiftSend"]["id"] == 1
    bob = await app.ask("showUserDetail", {}, TOKENS["bob"])
    assert bob["User"]["wallet"] == 990


async def test_coins_go_on(app: App, site: Site) -> None:
    for words in (("payouts", "reject", "3"), ("purchases", "refund", "2")):
        done = await site.run(*words)
        assert done.exit_code == 0, done.output
    cat = await app.ask("showUserDetail", {}, TOKENS["cat"])
    assert cat["User"]["wallet"] == 20  # of 500 paid and 20 given
    fresh = GIFT | {"live_streaming_id": "", "gift_count": 1}
    sent = await app.ask("sendGift", fresh, TOKENS["bob"])
    assert sent["GiftSend"]["id"] == 5
    checked = await site.run("ledger", "check")
    assert checked.exit_code == 0, checked.output


async def test_ids_go_on(app: App) -> None:
    dora = await app.sign_in("dora")
    assert dora.id == 10
    live = await dora.ask("liveStream", {"title": "New"})
    assert live["LiveStreaming"]["id"] == "4"


async def test_keys_open_their_channels(site: Site) -> None:
    assert (await site.upgrade()).exit_code == 0
    async with serve(site.wanted, ["auth"]) as ports, aiohttp.ClientSession() as http:
        secret = Secrets(SECRET).node("local")
        node = Service(http, ports, node_secret=secret)
        assert await node.lets_in(publish("live/cats", OBS_KEY))
        assert await node.auth(publish("live/cats", OBS_KEY[:-1])) == 401


async def test_events_are_read_as_new_ones(site: Site) -> None:
    """Each subject's in order and without a gap, each as its type is described."""
    assert (await site.upgrade()).exit_code == 0
    async with open_pool(site.new, 1) as pool:
        page = await until(partial(_all_events, Reading(pool)))
    last: dict[tuple[str, int], int] = {}
    for event in page.events:
        msgspec.convert(event.data, KINDS[event.type].data)
        about = (event.subject, event.subject_id)
        assert event.seq == last.get(about, 0) + 1
        last[about] = event.seq
    times = [event.at for event in page.events]
    assert times == sorted(times)


async def _all_events(reading: Reading) -> Page | None:
    """None yet while others' transactions, also in other databases, are older."""
    page = await reading.page(BEGINNING, 1000, Wanted())
    assert len(page.events) in (0, 25)
    return page if page.events else None


async def test_every_table_is_copied(site: Site) -> None:
    """And each has rows in what 0.1.0 wrote, or none of this proves anything."""
    without = {"schema_migrations", "wallets", "feeds"}
    names = await site.rows(
        site.old, "pg_tables WHERE schemaname = 'public'", "tablename"
    )
    assert {name.strip("()") for name in names} == without | {t.name for t in TABLES}
    empty = [t.name for t in TABLES if not await site.rows(site.old, t.name)]
    assert empty == ["early_refunds"]
