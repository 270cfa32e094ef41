"""Eleven faults, as whoever has only the docs meets them: the dashboard or an alert
names what is wrong and the section that says what to do. Mended as it says, it is
quiet."""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import redis.asyncio as redis
import yaml

from control_plane.base import room
from control_plane.base.database import Pool, open_pool
from control_plane.base.refusals import Unavailable
from control_plane.base.secrets import Secrets
from control_plane.config.settings import Settings
from control_plane.events.tail import INTERVAL
from control_plane.live.model.ingest import EVERY
from control_plane.live.service import figures, overview, previewing, stores
from control_plane.ops import now
from control_plane.roles import measured
from control_plane.webhooks.model import retries
from control_plane.webhooks.sending.http import WITHIN
from control_plane.webhooks.service import attempts
from deploy.local.place import Urls
from mediamtx import client
from tests.hooks.conftest import Service, publish
from tests.ops.test_alerts import ROOT, RUNBOOK, alerts
from tests.support.api import looking_once, settings
from tests.support.certificates import Authority
from tests.support.client import Account, App
from tests.support.log import bonus, new_user
from tests.support.nodes import answering
from tests.support.operators import Json, ask, token
from tests.support.ports import free_ports
from tests.support.receiver import Receiver, receiver
from tests.support.service import serve
from tests.support.small_disk import small_disk, small_folder
from tests.support.stack import until
from tests.support.valkeys import alone

HOST = "127.0.0.1"
SOON = 30.0  # seconds
BEFORE = "now() - interval '31 s'"
OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Desk:
    """``service``: as its nodes meet it. ``by_hand``: its tables."""

    app: App
    service: Service
    by_hand: Pool
    token: str

    async def says(self, name: int | str, words: str, section: str) -> None:
        """The dashboard, of this node, session, webhook or store."""
        assert f"### {section}\n" in RUNBOOK.read_text()
        await until(lambda: self._finds(name, words, section))

    async def is_quiet(self, section: str) -> None:
        async def gone() -> bool:
            return not await self._of(section)

        await until(gone)

    async def _finds(self, name: int | str, words: str, section: str) -> bool:
        found = await self._of(section)
        return any(one["id"] == name and words in one["words"] for one in found)

    async def _of(self, section: str) -> list[Json]:
        status, told = await ask(self.app, "GET", "/v1/now", self.token)
        needed = told["attention"] if status == 200 else []
        place = f"/ops/guide/operations#{section.lower()}"
        return [one for one in needed if one["runbook"] == place]


@contextlib.asynccontextmanager
async def looking(wanted: Settings) -> AsyncIterator[Desk]:
    url = wanted.database_url.get_secret_value()
    async with (
        serve(wanted) as ports,
        open_pool(url) as pool,
        aiohttp.ClientSession() as http,
    ):
        secret = Secrets(wanted.secret.get_secret_value()).node("local")
        app = App(
            http, f"http://{HOST}:{ports.public}", f"http://{HOST}:{ports.operator}"
        )
        service = Service(http, ports, node_secret=secret)
        yield Desk(app, service, pool, await token(pool, "read"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(now, "FRESH_FOR", 0.0)
    monkeypatch.setattr(overview, "FRESH_FOR", 0.0)
    monkeypatch.setattr(measured, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(room, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(retries, "DELAYS", (0.05,))
    monkeypatch.setattr(retries, "PAUSES", (0.05,))


@pytest.fixture
def wanted(database_url: str, redis_url: str, at_once: None) -> Settings:
    return settings(
        database_url, redis_url, reconcile_seconds=0.2, webhook_networks=HOST
    )


async def test_a_dead_node(wanted: Settings) -> None:
    async with looking(wanted) as desk:
        await desk.says("local", "does not answer since", "NodeSilent")
        await desk.says("local", "(connection refused)", "NodeSilent")
        await desk.by_hand.execute(
            "UPDATE nodes SET silent_since = now() - '31 s'::interval"
        )
        await desk.says("local", "does not answer since", "NodeLost")
        async with answering(wanted.api_port):
            await desk.is_quiet("NodeLost")


async def test_a_node_with_a_wrong_secret(wanted: Settings) -> None:
    """Its auth calls bear it, so it opens its API to nobody; its hooks say it too."""
    async with looking(wanted) as desk:
        async with answering(wanted.api_port, 401):
            await desk.says("local", "it answered 401", "NodeSilent")
            before = await _wrong(desk)
            assert await desk.service.hook("ready", "live/1", "s", "wrong") == 401
            assert await desk.service.auth({}, "wrong") == 401
            assert await _wrong(desk) == before + 2
        async with answering(wanted.api_port):
            await desk.is_quiet("NodeSilent")


async def _wrong(desk: Desk) -> float:
    """Calls that the alert NodeSecretWrong counts; it names the node."""
    text = await _metrics(desk, desk.service.ports.internal)
    [found] = re.findall(r'wrong_node_secrets_total{node="local"} (\S+)', text)
    return float(found)


async def _metrics(desk: Desk, port: int) -> str:
    async with desk.app.http.get(f"http://{HOST}:{port}/metrics") as response:
        return await response.text()


async def test_a_postgres_that_takes_no_writes(
    wanted: Settings, database: Urls
) -> None:
    async with looking(wanted) as desk, open_pool(database.owner) as owner:
        name = await owner.fetchval("SELECT current_database()")
        only_reading = f"ALTER DATABASE {name} SET default_transaction_read_only"
        await owner.execute(f"{only_reading} = on")
        await owner.execute(OTHERS)
        await desk.says("postgres", "takes no writes", "PostgresReadOnly")
        await owner.execute(
            f"SET default_transaction_read_only = off; {only_reading} = off"
        )
        await owner.execute(OTHERS)
        await desk.is_quiet("PostgresReadOnly")


async def test_a_postgres_whose_disk_is_full(
    server_folder: Path, redis_url: str, at_once: None
) -> None:
    """That of its tables, on a file system that has no page left. Who publishes stays
    and may come again; others are refused once the last pages are full, until there is
    room again."""
    async with small_disk(server_folder) as disk:
        quiet = settings(disk.urls.service, redis_url)
        async with looking(looking_once(quiet)) as desk:
            ann, bob = [await desk.app.sign_in(name) for name in ("ann", "bob")]
            live = (await ann.ask("liveStream", {}))["LiveStreaming"]
            await desk.service.publish(live, "source-1")
            await desk.is_quiet("PostgresFull")
            await disk.fill()
            await desk.says("postgres", "disk is full", "PostgresFull")
            await until(lambda: _no_room_is_told(desk))
            refused = await until(lambda: _is_refused(bob), pause=0.0)
            assert refused == {"code": 201, "msg": str(Unavailable())}
            assert await desk.service.lets_in(publish(live["path"], live["key"]))
            assert await desk.service.status(live) == "live"
            await disk.make_room()
            await desk.is_quiet("PostgresFull")
            assert (await bob.call("liveStream", {}))["code"] == 200


async def _no_room_is_told(desk: Desk) -> bool:
    """What the alert PostgresFull looks at."""
    told = 'control_plane_store_up{role="work",store="postgres_room"} 0.0'
    return told in await _metrics(desk, desk.service.ports.work_metrics)


async def _is_refused(host: Account) -> Json | None:
    """As soon as it needs another page."""
    answer = await host.call("liveStream", {})
    return None if answer["code"] == 200 else answer


async def test_a_full_disk_of_media(wanted: Settings, tmp_path: Path) -> None:
    async with small_folder(tmp_path) as media:
        filler = media / "filler"
        with_media = wanted.model_copy(update={"media_folder": media})
        async with looking(with_media) as desk:
            filler.write_bytes(bytes(500_000))
            await until(lambda: _free_is_told(desk, "544768.0"))
            await desk.is_quiet("DiskFull")
            filler.write_bytes(bytes(1_000_000))
            await desk.says("media", "is 96% full: 0.0 GiB left", "DiskFull")
            filler.unlink()
            await desk.is_quiet("DiskFull")


async def _free_is_told(desk: Desk, number: str) -> bool:
    told = f'control_plane_folder_free_bytes{{folder="media"}} {number}'
    return told in await _metrics(desk, desk.service.ports.api_metrics)


async def test_clocks_that_differ(wanted: Settings, database: Urls) -> None:
    """Postgres's own is put forward, by a function that is found first."""
    async with open_pool(database.owner) as owner:
        name = await owner.fetchval("SELECT current_database()")
        await owner.execute(
            f"ALTER DATABASE {name} SET search_path = public, pg_catalog"
        )
        await owner.execute(_clock("'5 s'"))
        async with looking(wanted) as desk:
            await desk.says("postgres", "clock is 5.0 s ahead of ours", "ClockWrong")
            await owner.execute(_clock("'0 s'"))
            await desk.is_quiet("ClockWrong")


def _clock(ahead: str) -> str:
    return (
        "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz"
        " LANGUAGE sql AS"
        f" $$ SELECT pg_catalog.clock_timestamp() + {ahead}::interval $$"
    )


async def test_a_full_redis(
    database_url: str, server_folder: Path, at_once: None
) -> None:
    async with alone(server_folder / "valkey") as url:
        client = redis.from_url(url)
        used = (await client.info("memory"))["used_memory"]
        async with looking(settings(database_url, url)) as desk:
            await client.config_set("maxmemory", int(used * 1.01))
            await desk.says("redis", "of the memory that it may use", "RedisFull")
            await client.config_set("maxmemory", used * 100)
            await desk.is_quiet("RedisFull")
        await client.aclose()


async def test_a_redis_that_takes_no_writes(
    database_url: str, server_folder: Path, at_once: None
) -> None:
    async with alone(server_folder / "valkey") as url:
        client = redis.from_url(url)
        async with looking(settings(database_url, url)) as desk:
            await client.replicaof(HOST, 1)
            await desk.says("redis", "takes no writes", "RedisReadOnly")
            await until(lambda: _redis_writes_are_told(desk, 0.0))
            await client.replicaof("NO", "ONE")
            await desk.is_quiet("RedisReadOnly")
            await until(lambda: _redis_writes_are_told(desk, 1.0))
        await client.aclose()


async def _redis_writes_are_told(desk: Desk, number: float) -> bool:
    """What the alert RedisReadOnly looks at."""
    told = f'control_plane_store_up{{role="work",store="redis_writes"}} {number}'
    return told in await _metrics(desk, desk.service.ports.work_metrics)


async def test_a_receiver_that_is_down(wanted: Settings) -> None:
    async with looking(wanted) as desk:
        async with receiver() as hook:
            name = await _added(desk, hook)
            port = int(hook.url.split(":")[2].partition("/")[0])
        await bonus(desk.by_hand, await new_user(desk.by_hand))
        place = f"Webhook {name} ({HOST}:{port}) takes nothing since"
        await desk.says(name, place, "WebhookFailing")
        await desk.says(name, "Cannot connect to host", "WebhookFailing")
        async with receiver(port=port) as hook:
            await hook.takes(1)
            await desk.is_quiet("WebhookFailing")


async def test_a_receiver_whose_certificate_has_expired(
    wanted: Settings, tmp_path: Path
) -> None:
    authority, [port] = Authority(tmp_path), free_ports(1)
    authority.is_trusted()
    good = authority.context(HOST, timedelta(days=1))
    async with looking(wanted) as desk:
        async with receiver(port=port, tls=good) as hook:
            name = await _added(desk, hook)
        old = authority.context(HOST, -timedelta(days=1))
        async with receiver(port=port, tls=old):
            await bonus(desk.by_hand, await new_user(desk.by_hand))
            await desk.says(name, "certificate has expired", "WebhookFailing")
        async with receiver(port=port, tls=good) as hook:
            await hook.takes(1)
            await desk.is_quiet("WebhookFailing")


async def _added(desk: Desk, hook: Receiver) -> int:
    admin = await token(desk.by_hand, "admin")
    body = {"url": hook.url}
    status, told = await ask(desk.app, "POST", "/v1/webhooks", admin, json=body)
    assert (status, told["enabled"]) == (201, True), told
    return int(told["id"])


async def test_a_leaked_key(wanted: Settings) -> None:
    """A stranger's encoder and its host's cut each other, again and again."""
    async with looking(looking_once(wanted)) as desk:
        ann = await desk.app.sign_in("ann")
        live = (await ann.ask("liveStream", {}))["LiveStreaming"]
        for source in ("ann 1", "stranger 1"):
            await desk.service.publish(live, source)
        assert await desk.service.auth(publish(live["path"], "guessed", id="x")) == 401
        await desk.is_quiet("KeyLeaked")  # a phone that changes its network, perhaps
        for source in ("ann 2", "stranger 2"):
            await desk.service.publish(live, source)
        session = int(live["id"])
        await desk.says(session, "ann: encoders took the place", "KeyLeaked")
        await _revoke(desk, session)
        await until(lambda: _is_shut(desk, live))
        await desk.by_hand.execute(
            "UPDATE publish_grants SET granted_at = now() - '30 s'::interval"
        )
        await desk.is_quiet("KeyLeaked")


async def _revoke(desk: Desk, session: int) -> None:
    admin = await token(desk.by_hand, "keys")
    shown = await ask(desk.app, "GET", f"/v1/sessions/{session}", desk.token)
    for key in shown[1]["keys"]:
        path, why = f"/v1/keys/{key['id']}/revoke", {"reason": "it leaked"}
        assert (await ask(desk.app, "POST", path, admin, json=why))[0] == 204


async def _is_shut(desk: Desk, live: Json) -> bool:
    return await desk.service.auth(publish(live["path"], live["key"], id="y")) == 401


#: By alert, seconds until the service tells what it watches: of the others the node
#: exporter does, or the auth role, at once.
TOLD_WITHIN: Mapping[str, float] = {
    "PostgresReadOnly": measured.LOOK_EVERY + stores.LIMIT,
    "PostgresFull": measured.LOOK_EVERY + stores.LIMIT,
    "RedisReadOnly": measured.LOOK_EVERY + 2 * stores.LIMIT,
    "RedisFull": measured.LOOK_EVERY + 2 * stores.LIMIT,
    "ClockWrong": measured.LOOK_EVERY + stores.LIMIT,
    "KeyLeaked": figures.EVERY,
    "NodeSecretWrong": 0.0,
    "DiskFull": room.LOOK_EVERY,
}


@pytest.mark.parametrize("alert", TOLD_WITHIN)
def test_an_alert_is_early(alert: str) -> None:
    """With the files as they are."""
    told = ROOT / "deploy/prometheus/prometheus.yml"
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    [group] = rules["groups"]
    assert "for" not in alerts()[alert]
    scraped = _seconds(yaml.safe_load(told.read_text())["global"]["scrape_interval"])
    assert TOLD_WITHIN[alert] + scraped + _seconds(group["interval"]) <= SOON


def test_the_dashboard_is_early() -> None:
    """With the settings as they are: from a fault to the words on the page."""
    script = (ROOT / "control_plane/ops/static/now.js").read_text()
    [page] = re.findall(r"^const EVERY = (\d+); // ms$", script, re.M)
    of = Settings.model_fields
    rounds, pictures = of["reconcile_seconds"].default, of["preview_seconds"].default
    shown = now.FRESH_FOR + overview.FRESH_FOR + int(page) / 1000
    node = rounds + client.WITHIN
    webhook = INTERVAL + WITHIN + attempts.FLUSH_EVERY
    key_frames = pictures + previewing.PAUSE + max(EVERY, rounds)
    assert max(node, webhook, key_frames, 2 * stores.LIMIT) + shown <= SOON


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))
