"""The command line of somebody who has a token and no database."""

from pathlib import Path

import pytest

from control_plane.base.database import open_pool
from control_plane.live.service import overview
from tests.support.api import running, settings
from tests.support.commands import command
from tests.support.operators import token


async def test_it_reads_what_the_token_opens(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overview, "FRESH_FOR", 0.0)  # what is open, not what was
    file = tmp_path / "token"
    async with (
        running(settings(database_url, redis_url)) as app,
        open_pool(database_url) as pool,
    ):
        ann = await app.sign_in("ann")
        live = await ann.ask("liveStream", {"title": "Hello"})
        file.write_text(f"{await token(pool, 'read')}\n")
        words = ("remote", "--server", app.operators, "--token-file", str(file))
        listed = await command({}, *words, "sessions", "q=hel")
        number = live["LiveStreaming"]["id"]
        one = await command({}, *words, f"sessions/{number}")
        refused = await command({}, *words, "audit")
        me = await command({}, *words, "me")
        missing = await command({}, *words, "users/99", "--json")
    assert listed.output.splitlines()[1].split()[:3] == [number, "created", "Hello"]
    assert me.output.startswith("name        read 1.0\n")
    assert "username" in one.output
    assert "\nkeys\n" in one.output
    assert (refused.exit_code, "scope admin" in refused.output) == (1, True)
    assert missing.exit_code == 1
