"""0.1.0 itself and the present version beside it: what is live stays live while the
second takes over from the first, under the same node."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from deploy.local.place import Urls
from tests.live.conftest import KINDS
from tests.support.client import App, Json
from tests.support.process import Process
from tests.support.servers import Numbered
from tests.support.stack import NODE_PORTS, Stack, until

OURS = "CONTROL_PLANE_"


class OldApp(App):
    """As apps knew answers then."""

    async def raw(
        self,
        name: str,
        data: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        url = f"{self.base}/api/{name}"
        async with self.http.post(url, data=data, headers=headers) as response:
            found: Json = await response.json()
            return found


class FirstVersion(Stack):
    """0.1.0, and a node with the configuration that it printed."""

    def __init__(
        self, kind: str, folder: Path, database: Urls, redis_url: str, code: Path
    ) -> None:
        super().__init__(kind, folder, database.owner, redis_url)
        known = (code / "control_plane" / "config.py").read_text("utf-8")
        for name in [name for name in self.env if name.startswith(OURS)]:
            if f"    {name.removeprefix(OURS).lower()}:" not in known:
                del self.env[name]
        program = str(code / ".venv" / "bin" / "python")
        self._program = (program, "-I", "-m", "control_plane")
        self._hook = str(code / "hooks" / "notify.sh")

    @property
    def app(self) -> App:
        return OldApp(self.http, self.base)

    async def start_node(self) -> None:
        config = self.folder / "mediamtx.yml"
        options = ("--bind", "127.0.0.1", "--for", self.version)
        hook = ("--hook-command", self._hook)
        config.write_text(await self._says("mediamtx-config", *options, *hook))
        secret = (await self._says("node-env")).strip().partition("=")[2]
        sandbox = (sys.executable, "-m", "mediamtx.sandbox")
        command = (self.binary,) if self.kind == "mediamtx" else sandbox
        env = {**os.environ, "CONTROL_PLANE_HOOK_SECRET": secret}
        log = self.folder / "node.log"
        self.node = await Process.start(log, *command, str(config), env=env)
        self._nodes.append(self.node)

    async def start_service(self, **changes: str) -> Process:
        log, env = self.folder / "service.log", self.env | changes
        service = await Process.start(log, *self._program, "serve", env=env)
        self._services.append(service)
        self.service = service
        await self._answers(f"{self.base}/readyz", service, 200)
        return service

    async def shows_live(self, session: str) -> bool:
        """Each of its connections to Postgres was closed, and may fail once."""
        answer = await self.call("showLiveStream", {"id": session})
        if answer["code"] != 200:
            return False
        return bool(answer["msg"]["LiveStreaming"]["status"] == "live")

    async def plays(self, url: str) -> bool:
        async with self.http.get(url) as response:
            return response.status == 200

    async def rounds(self, more: int) -> None:
        """Until it has looked at its node so many times more, in vain."""
        assert self.service is not None
        log = self.service.log
        failed = log.read_text().count("round failed")

        async def have_been() -> bool:
            return log.read_text().count("round failed") >= failed + more

        await until(have_been)

    async def _says(self, *words: str) -> str:
        said = await asyncio.create_subprocess_exec(
            *self._program, *words, env=self.env, stdout=asyncio.subprocess.PIPE
        )
        text, _ = await said.communicate()
        assert said.returncode == 0
        return text.decode()


@pytest.fixture
def code() -> Path:
    if not (named := os.environ.get("FIRST_VERSION")):
        pytest.skip("FIRST_VERSION names no installed checkout of 0.1.0 (6080a96)")
    return Path(named)


@pytest.fixture(params=KINDS)
async def old(
    request: pytest.FixtureRequest,
    code: Path,
    tmp_path: Path,
    empty_database: Urls,
    numbered_urls: Numbered,
) -> AsyncIterator[FirstVersion]:
    folder, redis = tmp_path / "old", numbered_urls.take()
    folder.mkdir()
    one = FirstVersion(request.param, folder, empty_database, redis, code)
    async with one:
        await one.start()
        yield one


@pytest.fixture
async def new(
    old: FirstVersion, tmp_path: Path, database: Urls, redis_url: str
) -> AsyncIterator[Stack]:
    """With the same node and secret; not started."""
    async with Stack(old.kind, tmp_path, database.service, redis_url) as one:
        for name in NODE_PORTS:
            one.ports[name] = old.ports[name]
            one.env[f"{OURS}{name}_PORT"] = str(old.ports[name])
        one.env[f"{OURS}SECRET"] = old.env[f"{OURS}SECRET"]
        one.env[f"{OURS}MIGRATIONS_URL"] = database.owner
        yield one


async def test_what_is_live_stays_live(old: FirstVersion, new: Stack) -> None:
    ann, bob, cat = [await old.sign_in(name) for name in ("ann", "bob", "cat")]
    live, soon = await old.go_live(ann), await old.go_live(bob)
    first = await old.publish(live["rtmp_url"])
    await old.status(live["id"], "live")

    await new.command("upgrade", "--from", old.env["DATABASE_URL"])

    # 0.1.0 goes on: it shows what is live, lets encoders and viewers in, and writes
    # nothing.
    await until(lambda: old.shows_live(live["id"]))
    assert (await old.call("liveStream", {}, cat))["code"] != 200
    second = await old.publish(soon["rtmp_url"])
    await old.proxy.until_passed("auth", soon["path"])
    await until(lambda: old.plays(live["playback_url"]))

    # Both run. The new one knows the node, and who publishes there.
    await new.start_service()
    await new.status(live["id"], "live")
    await new.status(soon["id"], "live")
    assert await new.events(live["id"]) == ["live.created", "live.started"]

    # The node asks the new one from here on, and the old one cuts nobody.
    old.proxy.target = new.ports["INTERNAL"]
    third = await new.go_live(cat)
    encoder = await new.publish(third["rtmp_url"])
    await new.status(third["id"], "live")
    await old.rounds(3)
    assert all(one.running for one in (first, second, encoder))
    for one in (live, soon, third):
        assert (await new.show(one["id"]))["status"] == "live"

    # Who may end it is its host, signed in since 0.1.0; the encoder is cut.
    await new.ask("liveStream", {"id": live["id"], "ended_at": "now"}, ann)
    await first.ended()
    assert (await new.show(live["id"]))["end_reason"] == "completed"

    # With a configuration of its own the node starts anew; encoders come back.
    assert old.service is not None
    assert old.node is not None
    await old.service.stop()
    await old.node.kill()
    await new.start_node()
    await second.ended()
    await new.publish(soon["rtmp_url"])
    await until(lambda: _came_back(new, soon))


async def _came_back(new: Stack, live: Json) -> bool:
    last = (await new.events(live["id"]))[-1]
    return last in ("live.resumed", "live.publisher_replaced")
