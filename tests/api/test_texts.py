"""What people write is kept as they wrote it, or refused."""

import pytest

from tests.support.api import App

FORGING = ["\x1b[2A", "\u202e", "\x9b", "\x7f", "\x00"]


@pytest.mark.parametrize("forging", FORGING)
async def test_control_characters_are_refused(app: App, forging: str) -> None:
    ann = await app.sign_in("ann")
    for field in ("first_name", "bio", "website"):
        refused = await ann.refused("editProfile", {field: f"a{forging}b"})
        sentence = f"{field} has characters that cannot be stored."
        assert refused == {"code": 400, "msg": sentence}


async def test_a_bio_may_have_lines_and_a_name_may_not(app: App) -> None:
    ann = await app.sign_in("ann")
    bio = "Zoë 👩‍👧\n\u0633\u0644\u0627\u0645\u200f!\n\tdone"
    msg = await ann.ask("editProfile", {"bio": bio})
    assert msg["User"]["bio"] == bio
    assert (await ann.refused("editProfile", {"first_name": "a\nb"}))["code"] == 400
