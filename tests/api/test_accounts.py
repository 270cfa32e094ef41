"""Signing in, profiles, and deleting an account."""

import asyncio

import pytest

from tests.support.api import App, Json


async def test_signing_in_twice_is_one_account(app: App) -> None:
    first = await app.sign_in("ann")
    again = await app.sign_in("ann")

    assert first.id == again.id
    assert (await again.ask("showUserDetail", {}))["User"]["username"] == "ann"


async def test_an_app_that_sends_only_its_firebase_uid_gets_an_account(
    app: App,
) -> None:
    uid = "Zx81aaaBBBccc"
    unknown = await app.call("showUserDetail", {"auth_token": uid}, uid)
    # 501 would sign the Android app out of Firebase before its first sign-up.
    assert unknown == {"code": 201, "msg": "EMPTY: NO RECORD IN THE DATABASE"}

    made = await app.ask("registerUser", {"auth_token": uid, "device_token": "d"})
    own = await app.ask("showUserDetail", {"auth_token": uid}, uid)

    assert own["User"]["id"] == made["User"]["id"]
    assert made["User"]["username"].startswith("user_")
    edited = await app.ask("editProfile", {"username": "zoe", "dob": "2001-02-03"}, uid)
    assert (edited["User"]["username"], edited["User"]["dob"]) == ("zoe", "2001-02-03")
    assert edited["User"]["auth_token"] == uid


async def test_a_sign_up_with_two_identities_knows_both(app: App) -> None:
    google = {"social": "google", "social_id": "g-1"}
    made = await app.ask("registerUser", {"auth_token": "uid-1", **google})

    by_uid = await app.ask("registerUser", {"auth_token": "uid-1"})
    by_google = await app.ask("registerUser", google)
    # iOS goes on sending the uid, whatever it was answered.
    own = await app.ask("showUserDetail", {"auth_token": "uid-1"}, "uid-1")
    assert len({m["User"]["id"] for m in (made, by_uid, by_google, own)}) == 1

    # Who has an identity already keeps it: nobody's accounts become one.
    other = await app.ask("registerUser", {"auth_token": "uid-2", **google})
    assert other["User"]["id"] == made["User"]["id"]
    third = await app.ask("registerUser", {"auth_token": "uid-3"})
    mixed = await app.ask("registerUser", {"auth_token": "uid-3", **google})
    assert mixed["User"]["id"] == third["User"]["id"] != made["User"]["id"]
    assert (await app.ask("registerUser", google))["User"]["id"] == made["User"]["id"]


async def test_many_sign_ups_at_once_make_one_account(app: App) -> None:
    one: Json = {"auth_token": "uid-1"}
    other = {"social": "google", "social_id": "g-1"}
    bodies = [one | other, other | one, one | other, one | other] * 3

    answers = await asyncio.gather(*(app.ask("registerUser", b) for b in bodies))

    assert len({msg["User"]["id"] for msg in answers}) == 1


@pytest.mark.parametrize("nothing", ["0", "null", "", " "])
async def test_what_a_signed_out_app_sends_is_no_identity(
    app: App, nothing: str
) -> None:
    for body in (
        {"auth_token": nothing},
        {"social": "google", "social_id": nothing},
    ):
        assert (await app.refused("registerUser", body))["code"] == 400
    made = await app.ask(
        "registerUser", {"auth_token": nothing, "social_id": "g-1", "social": "google"}
    )
    assert made["User"]["id"]


async def test_ones_own_answers_carry_the_token_and_no_others_do(app: App) -> None:
    ann = await app.sign_in("ann", email="ann@example.com", phone="+4911111")
    bob = await app.sign_in("bob")

    own = (await ann.ask("showUserDetail", {"user_id": str(ann.id)}))["User"]
    assert own["auth_token"] == ann.token
    assert own["email"] == "ann@example.com"
    edited = (await ann.ask("editProfile", {"bio": "hello"}))["User"]
    assert edited["auth_token"] == ann.token
    seen = await bob.sees(ann)
    assert seen["bio"] == "hello"
    secrets = ("auth_token", "email", "phone", "device_token", "dob", "token")
    assert {seen[name] for name in secrets} == {""}


async def test_an_expired_or_foreign_token_is_not_an_unknown_one(
    app: App,
) -> None:
    ann = await app.sign_in("ann")
    payload, _, signature = ann.token.partition(".")
    damaged = f"{payload}.{'A' * len(signature)}"

    assert (await app.call("showUserDetail", {}, damaged))["code"] == 201
    assert (await app.call("showUserDetail", {}))["code"] == 401
    await ann.ask("deleteUserAccount", {})
    assert (await ann.call("showUserDetail", {}))["code"] == 501


async def test_a_profile_keeps_what_was_not_sent(app: App) -> None:
    ann = await app.sign_in("ann", first_name="Ann", last_name="Lee")
    await ann.ask("editProfile", {"bio": "one", "website": "example.com"})

    user = (await ann.ask("editProfile", {"bio": "", "profile_view": "0"}))["User"]

    assert user["bio"] == ""
    assert user["website"] == "https://example.com"
    assert (user["first_name"], user["last_name"]) == ("Ann", "Lee")
    assert user["profile_view"] == 0


async def test_it_refuses_profiles_that_cannot_be(app: App) -> None:
    ann, _ = await app.sign_in("ann"), await app.sign_in("bob")

    taken = await ann.refused("editProfile", {"username": "BOB"})
    assert taken == {"code": 201, "msg": "username already exist"}
    wrong = [
        {"username": "no spaces"},
        {"private": 7},
        {"profile_pic": "javascript:alert(1)"},
        {"profile_pic": "pictures/ann.jpg"},
        {"profile_gif": "data:image/gif;base64,R0lGODlhAQABAAAAACw="},
        {"email": "nobody"},
        {"phone": "call me"},
        {"bio": "x" * 1001},
    ]
    for body in wrong:
        assert (await ann.refused("editProfile", body))["code"] in (201, 400)
    assert (await ann.ask("showUserDetail"))["User"]["username"] == "ann"


async def test_names_addresses_and_numbers_can_be_checked(app: App) -> None:
    ann = await app.sign_in("ann", email="Ann@example.com", phone="+49123")
    await ann.ask("streamKeys", {"channel_name": "ann-live"})

    free = [
        ("checkUsername", {"username": "bob"}, "do not exist"),
        ("checkEmail", {"email": "bob@example.com"}, "register"),
        ("checkPhoneNo", {"phone": "+49124"}, "This phone number is not registered."),
    ]
    for name, body, sentence in free:
        assert await app.ask(name, body) == sentence
    # The Android app asks for the name it has when a sign-up is taken up again.
    for own in ("ANN", "ann-live", f"user-{ann.id}"):
        assert await ann.ask("checkUsername", {"username": own}) == "do not exist"
    taken = [
        ("checkUsername", {"username": "ANN"}),
        ("checkUsername", {"username": "Ann-live"}),
        ("checkUsername", {"username": "user-999999"}),
        ("checkEmail", {"email": "ann@EXAMPLE.com"}),
        ("checkPhoneNo", {"phone": "+49123"}),
        ("checkPhone", {"phone": "+49123"}),
        ("checkUsername", {"username": "a b"}),
    ]
    for name, body in taken:
        answer = await app.refused(name, body)
        assert answer["code"] == 201
        assert isinstance(answer["msg"], str)


async def test_a_deleted_account_leaves_nothing_that_says_who_it_was(
    app: App,
) -> None:
    ann = await app.sign_in("ann", email="ann@example.com", first_name="Ann")
    bob = await app.sign_in("bob")
    await ann.ask("followUser", {"sender_id": ann.id, "receiver_id": bob.id})
    key = await ann.ask("streamKeys", {"channel_name": "ann-live"})
    live = (await ann.ask("liveStream", {"title": "Ann's show"}))["LiveStreaming"]

    assert await ann.ask("deleteUserAccount") == "deleted"

    assert (await ann.refused("showUserDetail"))["code"] == 501
    assert (await bob.refused("showUserDetail", {"username": "ann"}))["code"] == 201
    gone = {"other_user_id": ann.id}
    assert (await bob.refused("showUserDetail", gone))["code"] == 201
    assert (await bob.refused("showLiveStream", {"id": "ann-live"}))["code"] == 201
    ended = (await bob.ask("showLiveStream", {"id": live["id"]}))["LiveStreaming"]
    assert (ended["status"], ended["title"], ended["username"]) == ("ended", "", "")
    followers = (await bob.ask("showUserDetail"))["User"]["followers_count"]
    assert followers == 0
    assert key["StreamKey"]["channel_name"] == "ann-live"
    # The name and the way to sign in are free again.
    assert await app.ask("checkUsername", {"username": "ann"})
    assert (await app.sign_in("ann")).id != ann.id


async def test_a_phone_can_say_what_it_is(app: App) -> None:
    ann = await app.sign_in("ann")
    body = {
        "user_id": str(ann.id),
        "device": "android",
        "lat": "9.03",
        "long": 38.74,
        "version": "1.0",
        "ip": "10.0.0.1",
        "device_token": "fcm",
    }

    user = (await ann.ask("addDeviceData", body))["User"]

    assert user["id"] == ann.id
    assert user["auth_token"] == ann.token
    first = await app.ask("registerDevice", {"key": "phone-1"})
    assert await app.ask("registerDevice", {"key": "phone-1"}) == first
    assert first["Device"]["key"] == "phone-1"
    settings = [line["Setting"] for line in await app.ask("showSettings", {})]
    assert {s["type"]: s["value"] for s in settings}["coin_worth"] == "0.01"


async def test_only_oneself_sees_the_wallet(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    await ann.ask(
        "purchaseCoin",
        {"coin": "500", "transaction_id": "t", "device": "android"},
    )

    assert (await ann.ask("showUserDetail"))["User"]["wallet"] == 500
    assert (await app.sign_in("ann")).id == ann.id
    live = await ann.ask("liveStream", {"user_id": str(ann.id)})
    assert live["User"]["wallet"] == 500
    assert live["User"]["auth_token"] == ann.token
    assert (await bob.sees(ann))["wallet"] == 0


async def test_a_website_is_an_address_of_the_web(app: App) -> None:
    ann = await app.sign_in("ann")

    for given, kept in (
        ("example.com", "https://example.com"),
        ("www.example.com:8080/a?b#c", "https://www.example.com:8080/a?b#c"),
        ("HTTP://example.com/", "HTTP://example.com/"),
        ("https://müller.example", "https://müller.example"),
        ("", ""),
    ):
        user = (await ann.ask("editProfile", {"website": given}))["User"]
        assert user["website"] == kept
    for evil in (
        "javascript:alert(1)",
        "JavaScript:alert(1)//example.com",
        "javascript:alert.call(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.com",
        "https://",
        "https:///path",
        "http://user@example.com",
        "https://example.com/<script>",
        "http://example.com\\@evil.example",
        "ann",
    ):
        refused = await ann.refused("editProfile", {"website": evil})
        assert refused["code"] == 400, evil
    assert (await ann.ask("showUserDetail"))["User"]["website"] == ""


async def test_nobody_changes_an_account_while_naming_another(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    another = {"user_id": str(bob.id)}

    for name, body in (
        ("editProfile", {"bio": "changed"}),
        ("addDeviceData", {"device": "android"}),
        ("deleteUserAccount", {}),
        ("logout", {}),
    ):
        refused = await ann.refused(name, body | another)
        assert refused["code"] == 201
        assert refused["msg"] == "You can only do this as yourself."
    assert (await ann.ask("showUserDetail"))["User"]["bio"] == ""
    assert await ann.ask("deleteUserAccount", {"user_id": ann.id}) == "deleted"


async def test_an_account_cannot_be_made_private_yet(app: App) -> None:
    ann = await app.sign_in("ann")

    refused = await ann.refused("editProfile", {"private": "1", "bio": "hidden"})

    assert refused == {"code": 201, "msg": "Private accounts are not available yet."}
    user = (await ann.ask("editProfile", {"private": "0"}))["User"]
    assert (user["private"], user["bio"]) == (0, "")


async def test_an_address_that_holds_the_callers_token_is_refused(app: App) -> None:
    ann, bob = await app.sign_in("ann"), await app.sign_in("bob")
    folder = "https://firebasestorage.googleapis.com/v0/b/app/o/"
    dotted = ann.token.replace(".", "%2E").replace("-", "%2d")
    hidden = (ann.token, dotted, dotted.replace("%", "%25"))

    def addresses(token: str) -> list[tuple[str, Json]]:
        url = f"{folder}{token}%2Fme.jpg?alt=media"
        return [
            ("editProfile", {"profile_pic": url}),
            ("editProfile", {"profile_gif": url}),
            ("editProfile", {"website": url.replace("https://", "")}),
            (
                "registerUser",
                {"social": "google", "social_id": "x"} | {"profile_pic": url},
            ),
            ("liveStream", {"cover": url}),
        ]

    for token in hidden:
        for name, body in addresses(token):
            refused = await ann.refused(name, body)
            assert refused["code"] == 201
            assert "holds your sign-in" in refused["msg"]
    for name, body in addresses("aGVsbG8"):
        await ann.ask(name, body)
    # A uid is a token too while it is accepted as one.
    uid = "Zx81aaaBBBcccDDDeee"
    body = {"auth_token": uid, "profile_pic": f"{folder}{uid}%2Fme.jpg"}
    assert "holds your sign-in" in (await app.refused("registerUser", body))["msg"]
    assert (await bob.sees(ann))["profile_pic"].startswith(folder)


async def test_a_cover_is_an_address(app: App) -> None:
    ann = await app.sign_in("ann")

    refused = await ann.refused("liveStream", {"cover": "javascript:alert(1)"})

    assert refused["code"] == 400
    live = (await ann.ask("liveStream", {"cover": ""}))["LiveStreaming"]
    assert live["cover"] == ""
