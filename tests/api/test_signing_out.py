"""Signing out: this phone, or everywhere; and what a ban does to tokens."""

import pytest

from control_plane.config.settings import Settings
from control_plane.live.model.bans import Banned
from control_plane.wiring.services import services
from tests.support.api import App
from tests.support.commands import command


async def test_signing_out_ends_this_sign_in_and_no_other(app: App) -> None:
    phone, tablet = await app.sign_in("ann"), await app.sign_in("ann")
    bob = await app.sign_in("bob")

    assert await phone.ask("logout", {"user_id": str(phone.id)}) == "success"

    for name in ("editProfile", "liveStream", "logout"):
        assert (await phone.refused(name, {}))["code"] == 501
    assert (await phone.refused("showUserDetail", {}))["code"] == 501
    assert (await tablet.ask("showUserDetail", {}))["User"]["username"] == "ann"
    assert await bob.ask("showUserDetail", {})
    again = await app.sign_in("ann")
    assert (await again.ask("showUserDetail", {}))["User"]["id"] == phone.id


@pytest.mark.parametrize("field", ["everywhere", "all_devices"])
async def test_signing_out_everywhere_ends_every_sign_in(app: App, field: str) -> None:
    phone, tablet = await app.sign_in("ann"), await app.sign_in("ann")
    bob = await app.sign_in("bob")

    assert await phone.ask("logout", {field: True}) == "success"

    for device in (phone, tablet):
        assert (await device.refused("editProfile", {}))["code"] == 501
    assert await bob.ask("showUserDetail", {})
    assert await (await app.sign_in("ann")).ask("showUserDetail", {})


async def test_only_who_is_signed_in_can_sign_out(app: App) -> None:
    assert (await app.refused("logout", {}))["code"] == 401
    ann = await app.sign_in("ann")
    assert (await ann.refused("logout", {"everywhere": "maybe"}))["code"] == 400
    assert await ann.ask("logout", {"everywhere": "0"}) == "success"


async def test_a_providers_uid_cannot_be_signed_out_here(app: App) -> None:
    uid = "Zx81aaaBBBccc"
    made = await app.ask("registerUser", {"auth_token": uid})

    refused = await app.refused("logout", {}, uid)

    assert refused["code"] == 201
    assert "provider" in refused["msg"]
    assert await app.ask("logout", {"everywhere": 1}, uid) == "success"
    ours = made["User"]["auth_token"]
    assert (await app.refused("editProfile", {}, ours))["code"] == 501


async def test_a_ban_ends_every_sign_in_and_lifting_it_brings_none_back(
    app: App, wanted: Settings
) -> None:
    ann = await app.sign_in("ann")
    async with services(wanted) as opened:
        await opened.moderation.ban(Banned(ann.id), "spam")
        banned = await ann.refused("showUserDetail", {})
        assert banned["code"] == 501
        assert "have been blocked" in banned["msg"]  # both apps look for it
        for whom in ({"other_user_id": ann.id}, {"username": "ann"}):
            assert (await app.refused("showUserDetail", whom))["code"] == 201
        await opened.moderation.unban(Banned(ann.id))

    assert (await ann.refused("showUserDetail", {}))["code"] == 501
    assert await (await app.sign_in("ann")).ask("showUserDetail", {})


async def test_an_operator_can_sign_a_user_out(app: App, wanted: Settings) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    env = {
        "DATABASE_URL": wanted.database_url.get_secret_value(),
        "REDIS_URL": wanted.redis_url.get_secret_value(),
        "CONTROL_PLANE_SECRET": wanted.secret.get_secret_value(),
    }

    said = await command(env, "users", "sign-out", str(ann.id))

    assert (said.exit_code, said.output) == (0, "Signed out everywhere.\n")
    assert (await ann.refused("editProfile", {}))["code"] == 501
    assert await bob.ask("editProfile", {})
    said = await command(env, "users", "sign-out", "999999")
    assert (said.exit_code, said.output) == (1, "Error: There is no such user.\n")
