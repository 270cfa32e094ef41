"""Every command says the same beside the database and at a server elsewhere, and does
the same in the name of whoever asked."""

import asyncio
import getpass
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from click.testing import Result

from control_plane.commands.beside import NOT_ELSEWHERE
from control_plane.commands.tokens import NOBODY_ASKS
from control_plane.live.service import overview
from control_plane.ops import attention
from tests.commands.conftest import BESIDE, ELSEWHERE, Town, wants_money
from tests.support.commands import all_commands, command
from tests.support.process import Process
from tests.support.receiver import receiver
from tests.support.stack import until

log = structlog.get_logger(__name__)

Child = Callable[[str], Awaitable[Process]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Ids are of what the fixture made.
READS = (
    "sessions list",
    "sessions list mine --node local --sort viewers",
    "sessions list --all --limit 1 --user 1",
    "sessions show 1",
    "sessions minutes 1",
    "sessions events 1",
    "now",
    "channels list",
    "channels list besi",
    "channels show 1",
    "keys list",
    "keys list --user 1",
    "users list",
    "users list besi",
    "users show 1",
    "bans --all",
    "nodes list",
    "nodes show local",
    "events show evt_1",
    "events tail --lines 3",
    "events tail --type key.created",
    "events export",
    "events export --month 2026-01",
    "events types",
    "webhooks list",
    "webhooks show 1",
    "webhooks deliveries 1",
    "purchases list",
    "gifts list",
    "gifts list --session 1",
    "ledger show 1",
    "payouts list --all",
    "audit show --limit 3",
    "audit export",
    "audit verify",
    "token list",
)
#: Which `test_everything_is_done` walks through, or a test of its own.
ACTS = (
    *("sessions end", "kick", "ban", "unban", "keys revoke", "keys rotate"),
    *("keys create", "users sign-out", "nodes drain", "nodes activate", "nodes keep"),
    *("webhooks add", "webhooks disable", "webhooks enable", "webhooks rotate"),
    *("webhooks send-test", "webhooks resend", "webhooks forget"),
    *("webhooks remove", "ledger bonus", "ledger check", "payouts pay"),
    *("payouts reject", "purchases refund", "token revoke"),
)
ONLY_BESIDE = {
    "serve": "",
    "migrate": "",
    "config": "",
    "health": "",
    "backup": "folder",
    "restore": "folder",
    "upgrade": "--from postgresql:///old",
    "seed-demo": "",
    "mediamtx-config": "",
    "node-env": "",
    "edge-config": "--node a --origin b=http://127.0.0.1",
    "token create": "eve --scope money",  # one operator would be two
    "nodes add": "a --api http://127.0.0.1:1 --host a",  # it is sent a node's secret
    "nodes remove": "a",
}
#: What differs, as two environments do, or two who ask. Each has a test of its own.
OF_THE_PLACE = ("settings", "token show")
#: They call the apps' API, at a URL of their own.
AS_APPS = ("demo", "check-api")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open is not told from memory."""
    monkeypatch.setattr(overview, "FRESH_FOR", 0.0)


async def test_there_is_no_other_command() -> None:
    known = {*ACTS, *ONLY_BESIDE, *OF_THE_PLACE, *AS_APPS}
    for words in READS:
        known |= {one for one in all_commands() if f"{words} ".startswith(f"{one} ")}
    assert set(all_commands()) == known


@pytest.mark.parametrize("words", ONLY_BESIDE)
async def test_what_works_beside_the_database_only_says_so(
    town: Town, words: str, tmp_path: Path
) -> None:
    more = ONLY_BESIDE[words].replace("folder", str(tmp_path / "folder"))
    said = await town.says(ELSEWHERE, *words.split(), *more.split())
    assert (said.exit_code, said.output) == (1, f"Error: {NOT_ELSEWHERE}\n")


@pytest.mark.parametrize(
    ("place", "actor"),
    [(BESIDE, f"command:{getpass.getuser()}"), (ELSEWHERE, "operator:ann")],
)
async def test_everything_is_done(town: Town, place: str, actor: str) -> None:
    async def does(words: str, expected: str = "", code: int = 0) -> str:
        said = await town.says(place, *words.split())
        assert said.exit_code == code, (words, said.output)
        assert re.search(expected, said.output, re.MULTILINE), (words, said.output)
        return said.stdout

    async def rows(words: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(await does(f"{words} --json"))
        return found

    user = town.people[place].id
    for way, status in ("reject", "rejected"), ("pay", "paid"):
        waiting = await rows("payouts list")
        [payout] = [one["id"] for one in waiting if one["user_id"] == user]
        await does(f"payouts {way} {payout} --note 7", f"status +{status}")
        if way == "reject":
            await wants_money(town.people[place])
    [session] = [s["id"] for s in await rows("sessions list") if s["user_id"] == user]
    channel, *_ = [k for k in await rows(f"keys list --user {user}") if k["channel"]]
    new = json.loads(await does(f"keys rotate {channel['id']} --overlap 3600 --json"))
    assert new["key"]
    await does(f"keys revoke {new['id']} --reason leaked", "It is revoked")
    await does("keys create nobody", "Nobody has this name", code=1)
    await does(f"keys create new-{place} --new", rf"stream_key +new-{place}\?key=")
    await does(f"keys create new-{place} --name OBS --reason two", "^key +")
    await does(f"sessions end {session} --reason late", "Nobody publishes")
    await does(f"kick {session}", "It is over already", code=1)
    for words in "kick 99", "sessions show 99", "ledger bonus 99 5":
        await does(words, "^Error: There is no such thing", code=1)
    await does(f"ban {user} --reason spam --hours 1", "Nobody publishes")
    await does("ban --address 192.0.2.0/24", "Nobody publishes")
    assert [b["by"] for b in await rows("bans")] == [actor, actor]
    await does(f"unban {user}", "The ban is lifted")
    await does("unban --address 192.0.2.0/24", "The ban is lifted")
    await does(f"unban {user}", "There is no such ban")
    await does(f"users sign-out {user} --reason lost", "Signed out everywhere")
    await does("nodes drain local --reason disk", "is draining")
    await does("nodes activate local", "is active")
    await does(f"ledger bonus {user} 5 --key {place}", "has 705 coins")
    await does(f"ledger bonus {user} 5 --key {place}", "has 705 coins")
    await does("ledger check", "sum_is_zero|faults")
    [bought] = [p["id"] for p in await rows(f"purchases list --user {user}")]
    await does(f"purchases refund {bought}", "refunded_coins +[1-9]")
    await town.says(BESIDE, "token", "create", f"a/b {place}")
    said = await town.says(place, "token", "revoke", f"a/b {place}")
    assert said.stdout == f"a/b {place} is revoked.\n"
    async with receiver() as hook:
        await does(f"webhooks add {hook.url} --type user.banned", r"secret +whsec_")
        number = (await rows("webhooks list"))[-1]["id"]
        await does(f"webhooks disable {number}", "It is off")
        await does(f"webhooks enable {number} --skip", "state +on")
        await does(f"webhooks rotate {number}", "^whsec_")
        await does(f"webhooks send-test {number}", "It was taken: 200")
        event = json.loads((await does("events tail --lines 1")).splitlines()[0])["id"]
        await does(f"webhooks resend {number} {event}", "1 sent")
        await does(f"webhooks resend {number} --after x --until y", "no cursor", code=1)
        await does(f"webhooks resend {number} --after x", "Say which", code=1)
        await does(f"webhooks resend {number}", "Say which", code=1)
        await does(f"webhooks deliveries {number}", event)
        await does(f"webhooks deliveries {number} --dead", "none")
        await does(f"webhooks forget {number}", "0 forgotten")
        await does(f"webhooks remove {number}", "It is removed")
    acts = {one["act"]: one for one in await rows(f"audit show --actor {actor}")}
    assert acts["key.revoked"]["reason"] == "leaked"
    assert {"user.banned", "payout.paid", "user.signed_out"} <= set(acts)


@pytest.mark.parametrize("words", READS)
async def test_it_reads_the_same(town: Town, words: str) -> None:
    """After what was done above, where all of the file runs."""
    takes_json = "--json" in (await town.says(BESIDE, *words.split(), "-h")).output
    await until(lambda: _same(town, words))  # what moves meanwhile stands again
    if takes_json:
        said = await until(lambda: _same(town, f"{words} --json"))
        json.loads(said.stdout)


async def test_what_is_live_and_what_needs_somebody(town: Town) -> None:
    await town.pool.execute("UPDATE nodes SET silent_since = now(), lost = false")
    try:
        for place in (BESIDE, ELSEWHERE):
            said = await town.says(place, "now")
            assert re.search(r"^live \d+, reconnecting \d+, viewers \d+", said.output)
            assert "local: does not answer since" in said.output
            assert "operations#nodesilent" in said.output
            assert re.search(r"^3 .* \[red\]mine", said.output, re.MULTILINE)
            found = json.loads((await town.says(place, "now", "--json")).stdout)
            assert set(found) == {"totals", "attention", "sessions"}
    finally:
        await town.pool.execute("UPDATE nodes SET silent_since = NULL")


async def test_what_others_log_meanwhile_is_not_what_it_prints(town: Town) -> None:
    asked = asyncio.create_task(town.says(BESIDE, "now"))
    while not asked.done():
        log.warning("somebody else")
        await asyncio.sleep(0)
    assert "somebody else" not in asked.result().output


async def test_a_disk_that_is_full_is_told(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Though beside the database nothing has looked at it before."""
    monkeypatch.setattr(attention, "FULL", 0.0)
    env = {**town.places[BESIDE], "CONTROL_PLANE_MEDIA_FOLDER": str(tmp_path)}
    said = await command(env, "now")
    assert f"The disk of {tmp_path} is" in said.output


async def test_the_settings_in_force(town: Town) -> None:
    for place in (BESIDE, ELSEWHERE):
        said = await town.says(place, "settings")
        lines = {name: rest for name, *rest in map(str.split, said.output.splitlines())}
        assert lines["CONTROL_PLANE_WEBHOOK_NETWORKS"] == ["127.0.0.1"]
        assert lines["CONTROL_PLANE_SECRET"] == ["set"]
        found = json.loads((await town.says(place, "settings", "--json")).stdout)
        assert {"name", "value", "secret"} == set(found[0])


async def test_whose_token_it_is(town: Town) -> None:
    said = await town.says(ELSEWHERE, "token", "show")
    assert re.search(r"^name +ann\nscopes +read ", said.output)
    found = json.loads((await town.says(ELSEWHERE, "token", "show", "--json")).stdout)
    assert found["name"] == "ann"
    said = await town.says(BESIDE, "token", "show")
    assert (said.exit_code, said.output) == (1, f"Error: {NOBODY_ASKS}\n")


@pytest.mark.parametrize(
    "words",
    [
        *("ban 1 --hours nan", "ban 1 --hours inf", "ban 1 --hours 1e12"),
        *("token create eve --days 1e300", "token create eve --days nan"),
        *("nodes list --watch nan", "nodes drain local --wait nan"),
        "webhooks rotate 1 --hours nan",
    ],
)
async def test_no_number_is_one_that_cannot_be(town: Town, words: str) -> None:
    said = await town.says(BESIDE, *words.split())
    assert (said.exit_code, "Invalid value" in said.output) == (2, True), said.output


async def test_who_has_no_name_here_acts_by_number(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as another user than its image names."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_001)
    said = await town.says(BESIDE, "users", "sign-out", "1")
    assert said.exit_code == 0, said.output
    last = await town.says(BESIDE, "audit", "show", "--limit", "1", "--json")
    assert json.loads(last.stdout)[0]["actor"] == "command:2000000001"


async def _same(town: Town, words: str) -> Result | None:
    """What both say; nothing where they differ."""
    there, here = [
        await town.says(place, *words.split()) for place in (ELSEWHERE, BESIDE)
    ]
    assert (here.exit_code, there.exit_code) == (0, 0), here.output + there.output
    return here if here.output == there.output else None


@pytest_asyncio.fixture(loop_scope="session")
async def child(town: Town, tmp_path: Path) -> AsyncIterator[Child]:
    """Starts a command elsewhere, until it says something."""
    started: list[Process] = []

    async def start(words: str) -> Process:
        program = (sys.executable, "-m", "control_plane", *words.split())
        env = os.environ | town.places[ELSEWHERE]
        one = await Process.start(tmp_path / "log", *program, env=env)
        started.append(one)
        await until(lambda: _said(one, 1))
        return one

    yield start
    for one in started:
        await one.stop()


async def _said(one: Process, lines: int) -> bool:
    said = one.log.read_text()
    assert one.running, said
    return said.count("\n") >= lines


async def _begins_again(one: Process) -> bool:
    assert await _said(one, 1)
    first, *rest = one.log.read_text().splitlines()
    return first in rest


@pytest.mark.parametrize(
    "words", ["nodes list --watch 0.1", "now --watch 0.1", "gifts list --watch 0.1"]
)
async def test_it_is_watched_until_ctrl_c(child: Child, words: str) -> None:
    shown = await child(words)
    await until(lambda: _begins_again(shown))
    shown.process.send_signal(signal.SIGINT)
    assert await shown.ended() == 0


async def test_what_happens_is_followed_until_ctrl_c(child: Child, town: Town) -> None:
    """Also beside what happens by itself: the node, which nobody runs, may be lost."""
    await town.says(ELSEWHERE, "users", "sign-out", "2")
    shown = await child("events tail --watch --lines 2")
    await town.says(ELSEWHERE, "users", "sign-out", "2")
    await until(lambda: _tells_of_both(shown))
    shown.process.send_signal(signal.SIGINT)
    assert await shown.ended() == 0
    whole = await town.says(ELSEWHERE, "events", "export")
    assert shown.log.read_text() in whole.stdout


async def _tells_of_both(one: Process) -> bool:
    """Of the user who was signed out twice."""
    assert await _said(one, 1)
    told = [json.loads(line) for line in one.log.read_text().splitlines()]
    found = [(event["type"], event["subject_id"]) for event in told]
    return found.count(("user.signed_out", 2)) == 2


async def test_a_process_beside_a_node_keeps_it_with_a_token(
    child: Child, town: Town
) -> None:
    keep = await child("nodes keep local --wait 0")
    keep.process.send_signal(signal.SIGTERM)
    assert await keep.ended() == 0
    assert await town.pool.fetchval("SELECT draining FROM nodes")
