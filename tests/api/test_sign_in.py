"""ID tokens: only what a configured provider has signed for us counts."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from control_plane.base.refusals import Unavailable
from control_plane.config.settings import Settings
from control_plane.live.model.bans import Banned
from control_plane.people.model.providers import PublishedKeys
from control_plane.people.service.key_ring import KeyRing, KeysAway
from control_plane.web.published_keys import max_age
from control_plane.wiring.services import services
from tests.support.api import API, App, Json, running, settings
from tests.support.provider import Provider, provider


@pytest_asyncio.fixture
async def firebase() -> AsyncIterator[Provider]:
    async with provider() as opened:
        yield opened


@pytest.fixture
def production(database_url: str, redis_url: str, firebase: Provider) -> Settings:
    return settings(
        database_url,
        redis_url,
        env="production",
        firebase_project="demo-app",
        firebase_keys_url=firebase.url,
        google_client_ids="one two",
        google_keys_url=firebase.url,
        apple_client_ids="com.example.app",
        apple_keys_url=firebase.url,
    )


@pytest_asyncio.fixture
async def live(production: Settings) -> AsyncIterator[App]:
    async with running(production, API) as opened:
        yield opened


async def test_a_token_is_taken_wherever_it_arrives(
    live: App, firebase: Provider
) -> None:
    token = firebase.token()

    first = await live.ask("registerUser", {"auth_token": token, "device_token": "d"})
    second = await live.ask("registerUser", {"id_token": token, "social_id": "else"})
    third = await live.ask("registerUser", {"username": "late"}, token)

    ids = {msg["User"]["id"] for msg in (first, second, third)}
    assert len(ids) == 1
    own = first["User"]["auth_token"]
    assert (await live.ask("showUserDetail", {}, own))["User"]["id"] in ids
    assert firebase.asked == 1


async def test_what_the_provider_says_counts_before_what_the_app_says(
    live: App, firebase: Provider
) -> None:
    token = firebase.token(
        email="real@example.com", email_verified=True, phone_number="+4912345"
    )
    body = {"auth_token": token, "email": "other@example.com", "phone": "+1"}

    user = (await live.ask("registerUser", body))["User"]

    assert (user["email"], user["phone"]) == ("real@example.com", "+4912345")


@pytest.mark.parametrize(
    ("said", "kept"), [("", "ann@example.com"), ("b@example.com", "b@example.com")]
)
async def test_an_address_that_nobody_has_proven_is_kept_for_want_of_another(
    live: App, firebase: Provider, said: str, kept: str
) -> None:
    """As of Android's sign-up by e-mail, which does not say it again."""
    token = firebase.token(email="ann@example.com", email_verified=False)
    body = {"auth_token": token, "email": said}

    user = (await live.ask("registerUser", body))["User"]

    assert user["email"] == kept
    assert (await live.refused("checkEmail", {"email": kept}))["code"] == 201


@pytest.mark.parametrize("where", ["body", "header"])
async def test_an_app_signs_in_again_by_asking_for_itself(
    live: App, firebase: Provider, where: str
) -> None:
    async def ask(token: str) -> Json:
        if where == "header":
            return await live.call("showUserDetail", {}, token)
        # iOS has the uid in its header until then.
        return await live.call("showUserDetail", {"auth_token": token}, "uid-1")

    token = firebase.token()
    unknown = await ask(token)
    # Both apps go on to the sign-up.
    assert unknown == {"code": 201, "msg": "EMPTY: NO RECORD IN THE DATABASE"}
    made = (await live.ask("registerUser", {"auth_token": token}))["User"]

    again = await ask(firebase.token(iat=int(time.time()) - 60))

    user = again["msg"]["User"]
    assert (again["code"], user["id"]) == (200, made["id"])
    assert user["auth_token"] not in ("", token)
    for name in ("showUserDetail", "editProfile"):
        mine = await live.ask(name, {}, user["auth_token"])
        assert mine["User"]["id"] == made["id"]
    for bad in (firebase.token(aud="another-app"), firebase.token(exp=1)):
        assert (await ask(bad)) == {"code": 201, "msg": "token invalid"}


async def test_who_is_banned_does_not_sign_in_by_asking(
    live: App, firebase: Provider, production: Settings
) -> None:
    token = firebase.token()
    made = (await live.ask("registerUser", {"auth_token": token}))["User"]
    async with services(production) as opened:
        await opened.moderation.ban(Banned(made["id"]), "spam")

    for name in ("showUserDetail", "registerUser"):
        answer = await live.refused(name, {"auth_token": token})
        assert answer["msg"] == "You have been blocked by the admin. Contact support"


async def test_both_identities_of_a_sign_up_lead_to_one_account(
    live: App, firebase: Provider
) -> None:
    proven: Json = {
        "firebase": {"identities": {"google.com": ["g-1"], "email": ["a@b"]}}
    }
    google = {"social": "google", "social_id": "g-1"}
    own = firebase.token(iss="accounts.google.com", aud="one", sub="g-1")

    first = await live.ask(
        "registerUser", {"auth_token": firebase.token(**proven), **google}
    )
    second = await live.ask("registerUser", {"auth_token": own})
    third = await live.ask("registerUser", {"auth_token": firebase.token()})

    assert len({msg["User"]["id"] for msg in (first, second, third)}) == 1


@pytest.mark.parametrize(
    "claimed",
    [
        {"social": "google", "social_id": "g-2"},
        {"social": "facebook", "social_id": "g-1"},
        {"social": "email", "social_id": "a@b"},
        {"social": "nobody", "social_id": "g-1"},
    ],
)
async def test_production_links_only_what_the_provider_says(
    live: App, firebase: Provider, production: Settings, claimed: Json
) -> None:
    proven: Json = {
        "firebase": {"identities": {"google.com": ["g-1"], "email": ["a@b"]}}
    }

    await live.ask("registerUser", {"auth_token": firebase.token(**proven), **claimed})

    async with services(production) as opened:
        known = await opened.pool.fetch("SELECT provider, subject FROM identities")
    assert [tuple(row) for row in known] == [("firebase", "uid-1")]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.google.com", "aud": "two", "sub": "g"},
        {"iss": "accounts.google.com", "aud": "one", "sub": "g"},
        {"iss": "https://appleid.apple.com", "aud": "com.example.app", "sub": "a"},
    ],
)
async def test_google_and_apple_sign_in_too(
    live: App, firebase: Provider, claims: dict[str, Any]
) -> None:
    assert await live.ask("registerUser", {"auth_token": firebase.token(**claims)})


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-app"},
        {"iss": "https://securetoken.google.com/another-app"},
        {"iss": "https://accounts.google.com"},
        {"iss": "nobody"},
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 86_400},  # long after this is reached
        {"sub": ""},
        {"sub": None},
        {"exp": None},
        {"sub": "x" * 300},
    ],
)
async def test_it_refuses_tokens_that_are_not_for_us(
    live: App, firebase: Provider, claims: dict[str, Any]
) -> None:
    token = firebase.token(**claims)

    answer = await live.refused("registerUser", {"auth_token": token})

    assert answer["code"] == 201
    assert isinstance(answer["msg"], str)


async def test_it_refuses_tokens_that_others_signed(
    live: App, firebase: Provider
) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    good = firebase.token()
    header, claims, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    public = json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key()))
    fields = jwt.decode(good, options={"verify_signature": False})
    shared = jwt.encode(fields, public[:64], "HS256", headers={"kid": "one"})

    for token in (
        firebase.token(key=stranger),
        f"{none}.{claims}.",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{header}.{claims}.",
        shared,
        "eyJhbGciOi.x.y",
        "eyJ..",
    ):
        for body in ({"auth_token": token}, {"id_token": token}):
            answer = await live.refused("registerUser", body)
            assert answer["code"] == 201, token


async def test_production_wants_a_token(live: App, firebase: Provider) -> None:
    for body in (
        {"social": "google", "social_id": "1", "username": "eve"},
        {"auth_token": "uid-1"},
        {"id_token": "uid-1"},
    ):
        assert (await live.refused("registerUser", body))["code"] == 201
    assert (await live.refused("registerUser", {}))["code"] == 400
    # A uid is no secret: whoever sends it is not signed in.
    await live.ask("registerUser", {"auth_token": firebase.token()})
    assert (await live.refused("showUserDetail", {}, "uid-1"))["code"] == 201
    assert (await live.refused("followUser", {}, "uid-1"))["code"] == 501


async def test_development_believes_no_token_that_a_provider_denies(
    production: Settings, firebase: Provider
) -> None:
    async with running(
        production.model_copy(update={"env": "development"}), API
    ) as app:
        bad = firebase.token(aud="another-app")
        assert (await app.refused("registerUser", {"auth_token": bad}))["code"] == 201
        assert await app.ask("registerUser", {"social": "google", "social_id": "1"})
        said_twice = {"social": "firebase", "social_id": "uid-1"}
        body = {"auth_token": firebase.token(), **said_twice}
        assert await app.ask("registerUser", body)


async def test_the_providers_answer_is_kept_and_asked_for_again(
    live: App, firebase: Provider
) -> None:
    for number in range(5):
        await live.ask("registerUser", {"auth_token": firebase.token(sub=f"u{number}")})
    assert firebase.asked == 1

    firebase.rotate("two")
    for _ in range(
        5
    ):  # a key that nobody published so far: asked at most once a minute
        refused = await live.refused("registerUser", {"auth_token": firebase.token()})
        assert refused["code"] == 201
    assert firebase.asked == 1


async def test_nobody_signs_in_while_the_provider_was_never_reached(
    live: App, firebase: Provider
) -> None:
    firebase.away = True
    answer = await live.refused("registerUser", {"auth_token": firebase.token()})
    assert answer["code"] == 201
    assert "moment" in answer["msg"]


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


def _published(provider: Provider) -> PublishedKeys:
    keys = []
    for key_id, key in provider.keys.items():
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        keys.append(public | {"kid": key_id, "alg": "RS256"})
    return PublishedKeys(tuple(keys), 3600.0)


async def test_a_new_key_is_found_after_a_minute(
    firebase: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    asked = 0

    async def fetch(_url: str) -> PublishedKeys:
        nonlocal asked
        asked += 1
        return _published(firebase)

    ring = KeyRing(firebase.url, fetch)
    assert await ring.key("one")
    firebase.rotate("two")
    clock.now += 59
    assert await ring.key("two") is None
    clock.now += 2
    assert await ring.key("two")
    assert await ring.key("one") is None
    assert asked == 2


async def test_known_keys_hold_for_a_day_while_the_provider_is_away(
    firebase: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    away = False

    async def fetch(_url: str) -> PublishedKeys:
        if away:
            raise KeysAway("503")
        return _published(firebase)

    ring = KeyRing(firebase.url, fetch)
    assert await ring.key("one")
    away = True
    clock.now += 3600 + 86_000
    assert await ring.key("one")
    clock.now += 1000
    with pytest.raises(Unavailable):
        await ring.key("one")


def test_how_long_keys_are_kept() -> None:
    assert max_age("public, max-age=19204, must-revalidate") == 19204.0
    assert max_age("max-age=0") == 300.0
    assert max_age("max-age=99999999") == 86_400.0
    assert max_age("") == 3600.0
