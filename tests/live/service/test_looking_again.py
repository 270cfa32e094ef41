"""Whoever is listed is judged again and again, by what counts then: also guests, and
who came with a token that no list shows."""

import pytest

from control_plane.base.database import Pool
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.auth_call import AuthCall
from control_plane.live.model.rights import viewer_of
from control_plane.live.service.authorize import Authorizer
from control_plane.live.service.grants import Grants
from control_plane.live.service.permissions import Permissions
from control_plane.live.service.watching import Admission
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.live.service.one_viewer import ADDRESS, OneViewer, looked_at

DENY = "INSERT INTO viewer_denials (session_id, viewer) VALUES ($1, $2)"


@pytest.fixture
async def guest(
    opened: Services, node: OneViewer, session_id: int, pool: Pool
) -> Admission:
    """Watches."""
    await pool.execute("UPDATE live_streaming_sessions SET policy = 'token'")
    found = await opened.watching.admit(str(session_id), None, "")
    node.query = f"token={found.token}"
    return found


async def test_a_guest_who_may_watch_stays(
    opened: Services, node: OneViewer, session_id: int, guest: Admission
) -> None:
    await looked_at(opened, session_id)
    assert node.kicked == []


async def test_a_guest_let_in_too_late_is_cut(
    opened: Services, node: OneViewer, session_id: int, pool: Pool, guest: Admission
) -> None:
    await pool.execute(DENY, session_id, guest.viewer)
    await looked_at(opened, session_id)
    assert node.kicked == ["one"]


async def test_so_is_one_from_a_banned_address(
    opened: Services, node: OneViewer, session_id: int, pool: Pool, guest: Admission
) -> None:
    await pool.execute(
        "INSERT INTO bans (network, reason, actor) VALUES ($1::text::inet, '', '')",
        ADDRESS,
    )
    await looked_at(opened, session_id)
    assert node.kicked == ["one"]


async def test_so_is_an_account_whose_token_no_list_shows(
    opened: Services, node: OneViewer, session_id: int, pool: Pool
) -> None:
    """It has signed out since."""
    await pool.execute("UPDATE live_streaming_sessions SET policy = 'token'")
    bob = await new_user(pool, "bob")
    opened.hints.unlisted(session_id, "one", _token(bob, node.path))
    await opened.hints.flush()
    await looked_at(opened, session_id)
    assert node.kicked == []
    await pool.execute("UPDATE users SET token_version = token_version + 1")
    await looked_at(opened, session_id)
    assert node.kicked == ["one"]


@pytest.mark.parametrize(
    ("asked", "header", "shown"),
    [("token=x", "TOKEN", "token=x"), ("jwt=TOKEN", "", "")],
    ids=["beside another text", "added to the query"],
)
async def test_so_is_one_whose_query_shows_no_token(
    opened: Services,
    node: OneViewer,
    session_id: int,
    pool: Pool,
    database_url: str,
    asked: str,
    header: str,
    shown: str,
) -> None:
    """It was let in by what came in a header."""
    await pool.execute("UPDATE live_streaming_sessions SET policy = 'token'")
    bob = await new_user(pool, "bob")
    token = (await opened.watching.admit(str(session_id), bob, "")).token
    query, given = (text.replace("TOKEN", token) for text in (asked, header))
    call = AuthCall("read", node.path, "hls", ADDRESS, "one", query, token=given)
    assert (await _authorizer(opened, database_url).decide("local", call)).allow
    await opened.hints.flush()
    node.query = shown
    await looked_at(opened, session_id)
    assert node.kicked == []
    await pool.execute("UPDATE users SET token_version = token_version + 1")
    await looked_at(opened, session_id)
    assert node.kicked == ["one"]


def _authorizer(opened: Services, database_url: str) -> Authorizer:
    return Authorizer(
        opened.secrets,
        Permissions(opened.pool, database_url),
        opened.hints,
        Grants(opened.pool),
        tokens_required=False,
        limit=5.0,
    )


def _token(user: User, path: str) -> ViewerToken:
    viewer = viewer_of(user.id, user.token_version, "own")
    return ViewerToken(viewer, path, user.id, 0)
