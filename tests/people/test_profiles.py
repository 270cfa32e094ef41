"""One's own account, and what is free to take."""

import asyncio

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Empty, Refusal
from control_plane.people.model.users import NewUser, ProfileChange
from control_plane.people.service.accounts import Accounts, Identity
from control_plane.people.service.profiles import Profiles
from tests.people.conftest import Join

FULL = ProfileChange(
    username="zoe",
    first_name="Zoë",
    last_name="Stone",
    email="zoe@example.com",
    phone="+49123",
    bio="hello",
    website="https://example.com",
    gender="female",
    dob="2001-02-03",
    profile_pic="https://example.com/p.jpg",
    profile_gif="https://example.com/p.gif",
    private=False,
    profile_view=False,
    device_token="fcm",
)


async def test_every_field_lands_in_its_own_place(
    profiles: Profiles, join: Join
) -> None:
    ann = await join("ann", first_name="Ann", last_name="Lee", dob="1999-09-09")
    assert (ann.first_name, ann.last_name, ann.dob) == ("Ann", "Lee", "1999-09-09")

    await profiles.change(ann, FULL)
    await profiles.change(ann, ProfileChange())

    user = (await profiles.seen(0, ann.id)).user
    for field in ("username", "first_name", "last_name", "email", "phone", "bio"):
        assert getattr(user, field) == getattr(FULL, field)
    for field in ("website", "gender", "dob", "profile_pic", "profile_gif"):
        assert getattr(user, field) == getattr(FULL, field)
    assert (user.private, user.profile_view, user.device_token) == (False, False, "fcm")


async def test_a_username_belongs_to_one(profiles: Profiles, join: Join) -> None:
    ann = await join("ann")
    await join("bob")

    for username, said in (("BOB", "username already exist"), ("a b", "invalid")):
        with pytest.raises(Refusal, match=said):
            await profiles.change(ann, ProfileChange(username=username))
    with pytest.raises(Refusal, match="isn't available"):
        await join_as(profiles, join, "Bob")
    await profiles.change(ann, ProfileChange(username="ANN"))
    assert (await profiles.seen(0, ann.id)).user.username == "ANN"


async def join_as(profiles: Profiles, join: Join, username: str) -> None:
    """Somebody else under that name."""
    assert await profiles.named(0, username)
    await join(username)


async def test_two_sign_ups_of_one_person_make_one_account(
    accounts: Accounts, pool: Pool
) -> None:
    identity = Identity("google", "ann", verified=True)

    both = await asyncio.gather(
        *(accounts.sign_in([identity], NewUser()) for _ in range(5))
    )

    assert len({one.user.id for one in both}) == 1
    assert await pool.fetchval("SELECT count(*) FROM users") == 1


async def test_an_account_cannot_become_private_and_may_become_public(
    profiles: Profiles, join: Join, pool: Pool
) -> None:
    ann = await join("ann")
    with pytest.raises(Refusal, match="Private accounts are not available yet"):
        await profiles.change(ann, ProfileChange(private=True, bio="hidden"))
    assert (await profiles.seen(0, ann.id)).user.bio == ""

    await pool.execute("UPDATE users SET private = true")
    ann = (await profiles.seen(0, ann.id)).user
    await profiles.change(ann, ProfileChange(private=True, bio="still"))
    assert (await profiles.seen(0, ann.id)).user.private
    await profiles.change(ann, ProfileChange(private=False))
    assert not (await profiles.seen(0, ann.id)).user.private


async def test_what_is_taken(profiles: Profiles, join: Join) -> None:
    await join("ann", email="Ann@example.com", phone="+49123")
    await profiles.check_username("bob")
    await profiles.check_email("bob@example.com")
    await profiles.check_phone("+49124")
    for taken in (
        profiles.check_username("ANN"),
        profiles.check_email("ann@EXAMPLE.com"),
        profiles.check_phone("+49123"),
    ):
        with pytest.raises(Refusal):
            await taken


async def test_nobody_is_not_seen(profiles: Profiles) -> None:
    with pytest.raises(Empty):
        await profiles.seen(0, 999)
    assert await profiles.several(0, [999]) == {}
    first = await profiles.register_device("phone")
    assert await profiles.register_device("phone") == first
