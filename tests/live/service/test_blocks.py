"""A block keeps host and viewer apart, whoever made it."""

import pytest

from control_plane.base.database import Pool
from control_plane.base.refusals import Refusal
from control_plane.base.tokens import ViewerToken
from control_plane.live.model.rights import Policy, viewer_of
from control_plane.live.service.rights import DENIED
from control_plane.people.model.users import User
from control_plane.people.service.social import Social
from control_plane.wiring.services import Services
from tests.live.service.conftest import new_user
from tests.live.service.one_viewer import OneViewer, looked_at

ONE_BLOCKS = pytest.mark.parametrize(
    "host_blocks", [True, False], ids=["the host", "the viewer"]
)


@pytest.fixture
async def bob(pool: Pool) -> User:
    return await new_user(pool, "bob")


async def _block(pool: Pool, ann: User, bob: User, *, host_blocks: bool) -> None:
    one, other = (ann, bob) if host_blocks else (bob, ann)
    await Social(pool).toggle_block(one.id, other.id)


@ONE_BLOCKS
@pytest.mark.parametrize("policy", ["public", "token", "paid"])
async def test_they_do_not_watch(
    opened: Services,
    pool: Pool,
    session_id: int,
    ann: User,
    bob: User,
    policy: Policy,
    host_blocks: bool,
) -> None:
    price = 100 if policy == "paid" else 0
    await pool.execute(
        "UPDATE live_streaming_sessions SET policy = $1, ticket_price = $2",
        policy,
        price,
    )
    await _block(pool, ann, bob, host_blocks=host_blocks)
    with pytest.raises(Refusal, match=DENIED):
        await opened.watching.admit(str(session_id), bob, "")
    if price:
        with pytest.raises(Refusal, match=DENIED):
            await opened.tickets.buy(bob.id, session_id, price)


@ONE_BLOCKS
async def test_who_watches_is_cut(
    opened: Services,
    pool: Pool,
    node: OneViewer,
    session_id: int,
    ann: User,
    bob: User,
    host_blocks: bool,
) -> None:
    await pool.execute("UPDATE live_streaming_sessions SET policy = 'token'")
    viewer = viewer_of(bob.id, bob.token_version, "own")
    opened.hints.unlisted(session_id, "one", ViewerToken(viewer, node.path, bob.id, 0))
    await opened.hints.flush()
    await looked_at(opened, session_id)
    assert node.kicked == []
    await _block(pool, ann, bob, host_blocks=host_blocks)
    await looked_at(opened, session_id)
    assert node.kicked == ["one"]


@ONE_BLOCKS
async def test_they_are_not_listed_to_each_other(
    opened: Services,
    pool: Pool,
    session_id: int,
    ann: User,
    bob: User,
    host_blocks: bool,
) -> None:
    await _block(pool, ann, bob, host_blocks=host_blocks)
    carl = await new_user(pool, "carl")
    seen = {}
    for name, caller in {"guest": None, "bob": bob, "carl": carl}.items():
        reader = await opened.watching.reader(caller)
        found = await opened.watching.live(9, 0, reader)
        seen[name] = [one.session.id for one in found]
    assert seen == {"guest": [session_id], "bob": [], "carl": [session_id]}
