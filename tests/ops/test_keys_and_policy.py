"""Keys taken away and replaced, and who may watch, by operators."""

from control_plane.audit.service import AuditLog
from control_plane.base.database import Pool
from tests.support.client import App
from tests.support.operators import ask, token


async def test_an_operator_rotates_and_revokes_keys(app: App, pool: Pool) -> None:
    keys = await token(pool, "keys")
    ann = await app.sign_in("ann")
    made = await ann.ask("streamKeys", {"name": "OBS", "channel_name": "ann"})
    old = made["StreamKey"]["id"]
    why = {"reason": "leaked", "overlap": 60}
    status, new = await ask(app, "POST", f"/v1/keys/{old}/rotate", keys, json=why)
    assert (status, new["channel"]) == (200, "ann")
    status, _ = await ask(app, "POST", f"/v1/keys/{old}/rotate", keys)
    assert status == 409
    path = f"/v1/keys/{new['id']}/revoke"
    assert (await ask(app, "POST", path, keys, json={"reason": "too"}))[0] == 204
    _, listed = await ask(app, "GET", "/v1/keys", keys)
    assert [one["state"] for one in listed["keys"]] == ["revoked", "rotating"]
    told = [(e.act, e.subject, e.reason) for e in await AuditLog(pool).page(2)]
    assert told == [
        ("key.revoked", f"key/{new['id']}", "too"),
        ("key.rotated", f"key/{old}", "leaked"),
    ]


async def test_an_operator_gives_out_a_key(app: App, pool: Pool) -> None:
    keys, said = await token(pool, "keys"), {"username": "Studio", "reason": "first"}
    assert (await ask(app, "POST", "/v1/keys", keys, json=said))[0] == 409
    status, made = await ask(app, "POST", "/v1/keys", keys, json=said | {"new": True})
    assert (status, made["channel"]) == (200, "studio")
    assert made["stream_key"] == f"studio?key={made['key']}"
    status, more = await ask(app, "POST", "/v1/keys", keys, json=said)
    assert (status, more["channel"]) == (200, "studio")
    assert more["key"] != made["key"]
    told = [(e.act, e.subject, e.reason) for e in await AuditLog(pool).page(9)]
    assert [act for act, *_ in told] == ["key.created", "key.created", "user.created"]
    assert told[0] == ("key.created", f"key/{more['id']}", "first")
    await pool.execute("UPDATE users SET banned_at = now()")
    assert (await ask(app, "POST", "/v1/keys", keys, json=said))[0] == 409


async def test_a_rotation_whose_answer_was_lost_gives_the_same_key(
    app: App, pool: Pool
) -> None:
    """Also where it was not kept: the process died."""
    keys = await token(pool, "keys")
    ann = await app.sign_in("ann")
    made = await ann.ask("streamKeys", {"name": "OBS"})
    path = f"/v1/keys/{made['StreamKey']['id']}/rotate"
    headers = {"Idempotency-Key": "once"}
    new = await ask(app, "POST", path, keys, headers=headers)
    await pool.execute("DELETE FROM operator_requests")
    assert await ask(app, "POST", path, keys, headers=headers) == new


async def test_a_session_key_is_revoked_and_not_rotated(app: App, pool: Pool) -> None:
    keys = await token(pool, "keys")
    ann = await app.sign_in("ann")
    await ann.ask("liveStream", {"title": "Hello"})
    _, listed = await ask(app, "GET", "/v1/keys", keys)
    path = f"/v1/keys/{listed['keys'][0]['id']}"
    assert (await ask(app, "POST", f"{path}/rotate", keys))[0] == 409
    assert (await ask(app, "POST", f"{path}/revoke", keys))[0] == 204


async def test_an_operator_says_who_may_watch(app: App, pool: Pool) -> None:
    moderates, reads = await token(pool, "moderate"), await token(pool, "read")
    ann = await app.sign_in("ann")
    live = await ann.ask("liveStream", {"title": "Hello"})
    path = f"/v1/sessions/{live['LiveStreaming']['id']}"
    said = {"policy": "followers", "reason": "raided"}
    status, told = await ask(app, "POST", f"{path}/policy", moderates, json=said)
    assert (status, told) == (200, {"policy": "followers", "ticket_price": 0})
    _, found = await ask(app, "GET", path, reads)
    assert found["session"]["policy"] == "followers"
    status, _ = await ask(
        app, "POST", f"{path}/policy", moderates, json={"policy": "paid"}
    )
    assert status == 400
    [entry] = await AuditLog(pool).page(1)
    assert (entry.act, entry.reason) == ("session.policy", "raided")
    assert (entry.before["policy"], entry.after["policy"]) == ("default", "followers")


async def test_an_operator_denies_one_viewer(app: App, pool: Pool) -> None:
    moderates = await token(pool, "moderate")
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    live = await ann.ask("liveStream", {"title": "Hello"})
    number = live["LiveStreaming"]["id"]
    path, watched = f"/v1/sessions/{number}/deny", {"id": number}
    assert "can't" not in (await bob.call("watch", watched))["msg"]
    assert (await ask(app, "POST", path, moderates))[0] == 400
    both = {"user_id": bob.id, "viewer": "one"}
    assert (await ask(app, "POST", path, moderates, json=both))[0] == 400
    nobody = {"user_id": 999}
    assert (await ask(app, "POST", path, moderates, json=nobody))[0] == 404
    whom = {"user_id": bob.id, "reason": "rude"}
    assert (await ask(app, "POST", path, moderates, json=whom))[0] == 204
    refused = await bob.refused("watch", watched)
    assert refused["msg"] == "You can't watch this live stream."
    [entry] = await AuditLog(pool).page(9)
    assert (entry.act, entry.subject) == ("viewer.denied", f"session/{number}")
    assert (entry.after["user_id"], entry.reason) == (bob.id, "rude")
