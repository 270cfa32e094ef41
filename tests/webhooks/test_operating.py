"""Endpoints as operators make, change and repair them."""

import asyncio
import json
import math
import re
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from control_plane.base.database import Pool
from control_plane.config.settings import Settings
from control_plane.events.log import append_user_events
from control_plane.web import metrics
from control_plane.webhooks.model.endpoints import Wish
from control_plane.webhooks.service import delivery, pump, webhooks
from control_plane.webhooks.service.figures import Figures
from control_plane.wiring.services import services
from deploy.local.folder import CHECKOUT
from tests.support.api import APART_FROM_NODES, running
from tests.support.commands import command
from tests.support.log import BONUS, bonus, new_user, whole_log
from tests.support.receiver import Json, Receiver
from tests.support.stack import until
from tests.webhooks.conftest import Operator, new_operator
from tests.webhooks.test_delivering import PASSED, Failing
from tests.webhooks.test_two_senders import Late


@pytest.fixture
def env(wanted: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": wanted.database_url.get_secret_value(),
        "REDIS_URL": wanted.redis_url.get_secret_value(),
        "CONTROL_PLANE_SECRET": wanted.secret.get_secret_value(),
        "CONTROL_PLANE_WEBHOOK_NETWORKS": "127.0.0.1",
    }


async def test_one_that_does_not_answer_the_challenge_stays_off(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    hook.answers_challenges = False
    endpoint = await operator.add(hook.url)
    assert not endpoint["enabled"]
    assert "challenge" in endpoint["problem"]
    hook.got[0].verify(endpoint["secret"])
    await bonus(pool, await new_user(pool))
    hook.answers_challenges = True
    assert (await operator.ask("POST", f"/{endpoint['id']}/enable"))["enabled"]
    await hook.takes(1)  # from the moment it was added


async def test_a_challenge_speaks_for_the_address_that_it_was_sent_to(
    operator: Operator, hook: Receiver
) -> None:
    endpoint = await operator.add(hook.url)
    path = f"/{endpoint['id']}"

    async def moved(request: web.Request, _: Json) -> web.StreamResponse | None:
        if request.path != "/hook":
            return web.Response(text="nobody knows")
        await operator.ask("PATCH", path, {"url": f"{hook.url}/elsewhere"})
        return None

    hook.challenged = moved
    assert "was changed" in (await operator.ask("POST", f"{path}/enable"))["problem"]
    assert not (await operator.get(endpoint))["enabled"]


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://example.com/", "http://", "http://[x/", "https://exa mple.com/"),
        *("http://a:b@example.com/", "http://example.com/#x"),
        "http://example.com:99999/",
    ],
)
async def test_addresses_that_cannot_be_meant(operator: Operator, url: str) -> None:
    assert (await operator.ask("POST", "", {"url": url}, 400))["detail"]


async def test_bodies_that_cannot_be_meant(operator: Operator) -> None:
    bodies: list[object] = [{}, {"url": 5}, {"url": "http://a.example/", "x": 1}, []]
    for body in bodies:
        await operator.ask("POST", "", body, 400)
    wrong = {"url": "http://a.example/", "types": ["live.dance"]}
    await operator.ask("POST", "", wrong, 400)
    await operator.ask("GET", "/99", expected=404)


async def test_two_secrets_while_one_rotates(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url)
    rotated = await operator.ask("POST", f"/{endpoint['id']}/rotate", {"hours": 1})
    assert rotated["secret"] != endpoint["secret"]
    await operator.ask("POST", f"/{endpoint['id']}/test")
    for secret in (endpoint["secret"], rotated["secret"]):
        hook.got[-1].verify(secret)
    last = await operator.ask("POST", f"/{endpoint['id']}/rotate", {"hours": 0})
    await operator.ask("POST", f"/{endpoint['id']}/test")
    hook.got[-1].verify(last["secret"])
    with pytest.raises(WebhookVerificationError):
        hook.got[-1].verify(rotated["secret"])


async def test_a_new_secret_that_was_lost_cuts_off_no_receiver(
    operator: Operator, hook: Receiver
) -> None:
    """It has the first one while another is made."""
    endpoint = await operator.add(hook.url)
    path, secrets = f"/{endpoint['id']}", [endpoint["secret"]]
    for hours in (24, 1, 24, 24):
        rotated = await operator.ask("POST", f"{path}/rotate", {"hours": hours})
        secrets.append(rotated["secret"])
    await operator.ask("POST", f"{path}/test")
    for secret in secrets:
        hook.got[-1].verify(secret)
    refused = await operator.ask("POST", f"{path}/rotate", expected=409)
    assert "of 4 rotations ago still counts" in refused["detail"]
    last = await operator.ask("POST", f"{path}/rotate", {"hours": 0})
    await operator.ask("POST", f"{path}/test")
    hook.got[-1].verify(last["secret"])
    for secret in secrets:
        with pytest.raises(WebhookVerificationError):
            hook.got[-1].verify(secret)


async def test_another_secret_of_ours_leads_to_another_one_of_theirs(
    hook: Receiver, env: dict[str, str]
) -> None:
    """In the way that docs/deploy.md says, without a moment in which none counts."""
    added = await command(env, "webhooks", "add", hook.url, "--json")
    before = json.loads(added.output)["secret"]
    env["CONTROL_PLANE_OLD_SECRET"] = env["CONTROL_PLANE_SECRET"]
    env["CONTROL_PLANE_SECRET"] = "n" * 32
    text = " ".join((CHECKOUT / "docs/deploy.md").read_text("utf-8").split())
    [words] = re.findall(r"receivers? of webhooks [^`]*`control-plane ([^`]+)`", text)
    said = await command(env, *words.replace("ID", "1").split())
    assert "whsec_" in said.output
    new = said.output.strip()
    await command(env, "webhooks", "send-test", "1")
    for secret in (before, new):
        hook.got[-1].verify(secret)
    del env["CONTROL_PLANE_OLD_SECRET"]
    await command(env, "webhooks", "send-test", "1")
    hook.got[-1].verify(new)


async def test_each_secret_counts_for_as_long_as_was_said(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url)
    path, secrets = f"/{endpoint['id']}", [endpoint["secret"]]
    for hours in (24, 1):
        rotated = await operator.ask("POST", f"{path}/rotate", {"hours": hours})
        secrets.append(rotated["secret"])
    await pool.execute(
        "UPDATE webhook_endpoints SET old_until ="
        " ARRAY(SELECT until - interval '2 h' FROM unnest(old_until) until)"
    )
    await operator.ask("POST", f"{path}/test")
    first, second, third = secrets
    for secret in (first, third):
        hook.got[-1].verify(secret)
    with pytest.raises(WebhookVerificationError):
        hook.got[-1].verify(second)


@pytest.mark.parametrize(("skip", "sent"), [(False, [1, 2]), (True, [2])])
async def test_what_happens_while_it_is_off_is_sent_afterwards_or_left_out(
    skip: bool, sent: list[int], wanted: Settings, hook: Receiver, pool: Pool
) -> None:
    user = await new_user(pool)
    async with services(wanted) as opened:
        hooks = opened.events.webhooks
        number = (await hooks.add(Wish(hook.url))).endpoint.id
        await hooks.disable(number)
        await bonus(pool, user, 1)
        await until(lambda: _logged(pool, 1))
        await hooks.enable(number, skip=skip)
    async with running(wanted, APART_FROM_NODES):
        await bonus(pool, user, 2)
        await hook.until(lambda: hook.taken and hook.taken[-1]["data"]["coin"] == 2)
    assert [event["data"]["coin"] for event in hook.taken] == sent


async def test_what_waits_for_another_attempt_is_left_out_too(
    wanted: Settings, hook: Receiver, pool: Pool, quick: None
) -> None:
    user = await new_user(pool)
    hook.misbehave = Failing(user, 1, 10**6)
    async with services(wanted) as opened:
        hooks = opened.events.webhooks
        number = (await hooks.add(Wish(hook.url))).endpoint.id
        async with running(wanted, APART_FROM_NODES):
            await bonus(pool, user)
            await until(lambda: pool.fetchval("SELECT count(*) FROM webhook_parked"))
        await hooks.disable(number)
        await hooks.enable(number, skip=True)
    hook.misbehave = Failing(user, 1, 0)
    async with running(wanted, APART_FROM_NODES):
        await bonus(pool, user)
        await hook.until(lambda: 2 in hook.of(user))
    assert hook.of(user) == [2]


async def test_one_that_is_off_does_not_go_on_failing(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url)
    await pool.execute(
        "UPDATE webhook_endpoints SET failing_since = now() - '1 h'::interval"
    )
    figures = Figures(pool)
    await figures.look()
    assert _failing(endpoint) >= 3600
    await operator.ask("POST", f"/{endpoint['id']}/disable")
    await figures.look()
    assert _failing(endpoint) == 0


def _failing(endpoint: Json) -> float:
    told = metrics.exposition()[0].decode()
    name = "control_plane_webhook_failing_seconds"
    [found] = re.findall(rf'{name}{{endpoint="{endpoint["id"]}"}} (.*)', told)
    return float(found)


async def test_what_fails_after_it_was_left_out_does_not_come_back(
    wanted: Settings,
    hook: Receiver,
    pool: Pool,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever sends has not looked yet whether it is still to."""
    monkeypatch.setattr(delivery, "LOOK_EVERY", 3600.0)  # it looks once
    user = await new_user(pool)
    hook.misbehave = late = Late(pool)
    async with services(wanted) as opened:
        hooks = opened.events.webhooks
        number = (await hooks.add(Wish(hook.url))).endpoint.id
        await bonus(pool, user)
        async with running(wanted, APART_FROM_NODES):
            await late.asked.wait()
            await hooks.enable(number, skip=True)
            late.answer.set()
            await until(lambda: _fails(pool))
    async with running(wanted, APART_FROM_NODES):
        await bonus(pool, user)
        await hook.until(lambda: 2 in hook.of(user))
    assert hook.of(user) == [2]


async def _fails(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT failing_since FROM webhook_endpoints"))


async def _logged(pool: Pool, count: int) -> bool:
    return len(await whole_log(pool)) == count


async def test_changes_are_followed(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url, description="first")
    changed = await operator.ask(
        "PATCH", f"/{endpoint['id']}", {"types": ["user.banned"]}
    )
    assert changed["enabled"]
    assert (changed["types"], changed["description"]) == (["user.banned"], "first")
    other = await operator.ask(
        "PATCH", f"/{endpoint['id']}", {"url": hook.url.replace("hook", "other")}
    )
    assert other["enabled"]
    assert hook.got[-1].event["type"] == "webhook.challenge"
    assert hook.got[-1].path == "/other"
    await operator.ask("DELETE", f"/{endpoint['id']}", expected=204)
    await operator.ask("GET", f"/{endpoint['id']}", expected=404)


async def test_what_happens_after_other_types_are_wanted_is_sent(
    wanted: Settings, hook: Receiver, pool: Pool
) -> None:
    """Whoever sends hears of it only when it looks again."""
    user = await new_user(pool)
    async with running(wanted, APART_FROM_NODES) as app:
        operator = await new_operator(app, pool)
        endpoint = await operator.add(hook.url, types=["user.banned"])
        await bonus(pool, user)
        await until(lambda: pool.fetchval(PASSED, user, 1))
        await operator.ask("PATCH", f"/{endpoint['id']}", {"types": []})
        await bonus(pool, user)
        await hook.until(lambda: 2 in hook.of(user))


async def test_what_was_given_up_can_be_sent_again(
    operator: Operator,
    hook: Receiver,
    pool: Pool,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump, "GIVE_UP_AFTER", timedelta(0))
    user = await new_user(pool)
    hook.misbehave = Failing(user, 2, 10**6)
    number = str((await operator.add(hook.url))["id"])
    for _ in range(3):
        await bonus(pool, user)
    await hook.takes(2)
    assert hook.of(user) == [1, 3]
    said = await command(env, "webhooks", "deliveries", number, "--dead", "--json")
    (letter,) = json.loads(said.output)
    assert letter["error"] == "500"
    again = await command(env, "webhooks", "resend", number, "--dead")
    assert again.exit_code == 1
    assert "0 sent, 1 not taken, the last of them: 500" in again.output
    hook.misbehave = Failing(user, 2, 0)
    again = await command(env, "webhooks", "resend", number, "--dead")
    assert again.output == "1 sent.\n"
    assert hook.taken[-1]["id"] == letter["event"]
    said = await command(env, "webhooks", "deliveries", number, "--dead")
    assert said.output == "none\n"


async def test_one_or_a_range_can_be_sent_again(
    operator: Operator, hook: Receiver, pool: Pool, env: dict[str, str]
) -> None:
    endpoint, user = await operator.add(hook.url), await new_user(pool)
    for _ in range(4):
        await bonus(pool, user)
    events = await hook.takes(4)
    one = events[1]["id"]
    found = await operator.ask("POST", f"/{endpoint['id']}/resend", {"events": [one]})
    taken = {"taken": True, "status": 200, "error": ""}
    assert found == {"answers": [{**taken, "event": one}], "next": None}
    assert hook.taken[-1] == events[1]
    span = ["--after", events[0]["cursor"], "--until", events[2]["cursor"]]
    again = await command(env, "webhooks", "resend", str(endpoint["id"]), *span)
    assert again.output == "2 sent.\n"
    assert hook.taken[-2:] == events[1:3]
    told = await command(env, "audit", "show", "--json")
    acts = [entry["act"] for entry in json.loads(told.stdout)]
    assert acts.count("webhook.resent") == 2


async def test_a_range_is_sent_whatever_else_happened_in_it(
    operator: Operator, hook: Receiver, pool: Pool, env: dict[str, str]
) -> None:
    endpoint = await operator.add(hook.url, types=["coins.bonus"])
    user = await new_user(pool)
    unwanted = [(user, {"everywhere": True})] * 1500
    async with pool.transaction() as connection:
        await append_user_events(connection, "user.signed_out", unwanted)
    await bonus(pool, user)
    (event,) = await hook.takes(1)
    span = ["--after", "0.0.0", "--until", event["cursor"]]
    again = await command(env, "webhooks", "resend", str(endpoint["id"]), *span)
    assert again.output == "1 sent.\n"
    assert hook.taken == [event, event]


async def test_many_that_were_given_up_are_sent_one_part_after_the_other(
    operator: Operator,
    hook: Receiver,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "RESEND_WITHIN", math.inf)
    endpoint = await operator.add(hook.url, types=["user.banned"])
    user = await new_user(pool)
    async with pool.transaction() as connection:
        await append_user_events(connection, "coins.bonus", [(user, BONUS)] * 1001)
    await _given_up(pool)
    path = f"/{endpoint['id']}/resend"
    found = await operator.ask("POST", path, {"dead": True})
    assert (len(found["answers"]), len(hook.taken)) == (1000, 1000)
    rest = await operator.ask("POST", path, {"dead": True, "after": found["next"]})
    assert (len(rest["answers"]), rest["next"]) == (1, None)
    assert hook.of(user) == list(range(1, 1002))


async def test_one_that_is_never_taken_keeps_no_other(
    operator: Operator,
    hook: Receiver,
    pool: Pool,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However slowly they go, so that it takes several requests."""
    monkeypatch.setattr(webhooks, "RESEND_WITHIN", 0.0)
    endpoint = await operator.add(hook.url, types=["user.banned"])
    user, number = await new_user(pool), str(endpoint["id"])
    hook.misbehave = Failing(user, 2, 10**6)
    for _ in range(4):
        await bonus(pool, user)
    await _given_up(pool)
    said = await command(env, "webhooks", "resend", number, "--dead")
    assert hook.of(user) == [1]
    assert (said.exit_code, "1 sent, 1 not taken" in said.output) == (1, True)
    [behind] = re.findall(r"What is behind (\S+) was not tried", said.output)
    again = ["--dead", "--after", behind]
    said = await command(env, "webhooks", "resend", number, *again)
    assert said.output == "2 sent.\n"
    assert hook.of(user) == [1, 3, 4]


async def test_what_was_given_up_can_be_forgotten(
    operator: Operator, hook: Receiver, pool: Pool, env: dict[str, str]
) -> None:
    """Also what is not kept any more, which nobody can send again."""
    number = str((await operator.add(hook.url, types=["user.banned"]))["id"])
    user = await new_user(pool)
    for _ in range(3):
        await bonus(pool, user)
    await _given_up(pool)
    await until(lambda: _logged(pool, 3))
    first = (await whole_log(pool))[0].id
    said = await command(env, "webhooks", "forget", number, first, "--reason", "old")
    assert said.output == "1 forgotten.\n"
    left = (await operator.ask("GET", f"/{number}/dead"))["letters"]
    assert first not in [letter["event"] for letter in left]
    assert (await command(env, "webhooks", "forget", number)).output == "2 forgotten.\n"
    assert (await operator.ask("GET", f"/{number}/dead"))["letters"] == []
    assert (await command(env, "webhooks", "forget", "99")).exit_code == 1
    told = json.loads((await command(env, "audit", "show", "--json")).stdout)
    acts = [(one["before"], one["reason"]) for one in told if "forgotten" in one["act"]]
    assert acts == [({"dead_letters": 2}, ""), ({"dead_letters": 1}, "old")]


async def _given_up(pool: Pool) -> None:
    """All that happened."""
    await pool.execute(
        "INSERT INTO webhook_dead_letters (endpoint_id, event_id, error)"
        " SELECT w.id, e.id, '500' FROM webhook_endpoints w, events e"
    )


async def test_one_that_is_off_is_sent_nothing_again(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    """Its address may be a stranger's: it has not answered the challenge."""
    endpoint = await operator.add(hook.url)
    await bonus(pool, await new_user(pool))
    (event,) = await hook.takes(1)
    hook.answers_challenges = False
    path = f"/{endpoint['id']}"
    wrong = {"url": hook.url.replace("hook", "other")}
    assert not (await operator.ask("PATCH", path, wrong))["enabled"]
    whole = {"after": "0.0.0", "until": event["cursor"]}
    for which in ({"events": [event["id"]]}, whole, {"dead": True}):
        refused = await operator.ask("POST", f"{path}/resend", which, 409)
        assert "off" in refused["detail"]
    assert hook.taken == [event]


class Slow:
    """Takes the first event once it is told to."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, _request: web.Request, _event: Json) -> None:
        self.asked.set()
        await self.answer.wait()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/disable", 200), ("DELETE", "", 204), ("PATCH", "", 200)],
    ids=["switched off", "removed", "moved"],
)
async def test_one_that_is_no_more_is_sent_nothing_more(
    method: str,
    path: str,
    status: int,
    operator: Operator,
    hook: Receiver,
    pool: Pool,
) -> None:
    endpoint = await operator.add(hook.url, types=["user.banned"])
    user, one = await new_user(pool), f"/{endpoint['id']}"
    for _ in range(3):
        await bonus(pool, user)
    await _given_up(pool)
    hook.misbehave = slow = Slow()
    resent = asyncio.create_task(
        operator.ask("POST", f"{one}/resend", {"dead": True}),
    )
    await slow.asked.wait()
    elsewhere = {"url": f"{hook.url}/elsewhere"} if method == "PATCH" else None
    await operator.ask(method, f"{one}{path}", elsewhere, status)
    slow.answer.set()
    found = await resent
    assert hook.of(user) == [1]
    assert [answer["event"] for answer in found["answers"]] == [found["next"]]


async def test_the_command_line(hook: Receiver, env: dict[str, str]) -> None:
    added = await command(env, "webhooks", "add", hook.url, "--type", "gift.sent")
    assert re.search(r"secret +whsec_\S{44}", added.output)
    listed = json.loads((await command(env, "webhooks", "list", "--json")).output)
    number = str(listed[0]["id"])
    assert (listed[0]["types"], listed[0]["enabled"]) == (["gift.sent"], True)
    tested = await command(env, "webhooks", "send-test", number)
    assert tested.output == "It was taken: 200.\n"
    assert hook.taken[-1]["type"] == "webhook.test"
    lines = (await command(env, "webhooks", "deliveries", number)).output.splitlines()
    assert "webhook.test" in lines[1]
    assert "webhook.challenge" in lines[2]
    secret = (await command(env, "webhooks", "rotate", number)).output
    assert secret.startswith("whsec_")
    assert secret not in added.output
    assert (await command(env, "webhooks", "disable", number)).exit_code == 0
    enabled = await command(env, "webhooks", "enable", number, "--json")
    assert json.loads(enabled.output)["enabled"]
    assert (await command(env, "webhooks", "remove", number)).exit_code == 0
    assert (await command(env, "webhooks", "send-test", number)).exit_code == 1


async def test_no_secret_is_stored(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    endpoint = await operator.add(hook.url)
    row = await pool.fetchval("SELECT e::text FROM webhook_endpoints e")
    assert endpoint["secret"].removeprefix("whsec_")[:20] not in row
    assert "secret" not in await operator.get(endpoint)


async def test_one_that_takes_nothing_for_days_is_switched_off(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    user = await new_user(pool)
    endpoint = await operator.add(hook.url)
    await pool.execute(
        "UPDATE webhook_endpoints SET failing_since = now() - interval '6 days',"
        " failed_at = now() - interval '1 day'"
    )
    hook.misbehave = Failing(user, 1, 10**6)
    await bonus(pool, user)

    async def off() -> Json | None:
        found = await operator.get(endpoint)
        return None if found["enabled"] else found

    assert "five days" in (await until(off))["disabled_because"]


async def test_days_in_which_nothing_was_sent_switch_nothing_off(
    operator: Operator, hook: Receiver, pool: Pool
) -> None:
    """One event was given up, and the next one that is not taken comes days later."""
    user = await new_user(pool)
    endpoint = await operator.add(hook.url)
    await pool.execute(
        "UPDATE webhook_endpoints SET failing_since = now() - interval '6 days',"
        " failed_at = now() - interval '3 days'"
    )
    hook.misbehave = Failing(user, 1, 10**6)
    await bonus(pool, user)

    async def judged() -> Json | None:
        found = await operator.get(endpoint)
        since = datetime.fromisoformat(found["failing_since"])
        fresh = datetime.now(UTC) - since < timedelta(days=1)
        return found if fresh or not found["enabled"] else None

    assert (await until(judged))["enabled"]
