"""A phone that tries again and again gets a key each time, and only so many count."""

from control_plane.live.model.keys import MOST_OF_SESSION, hash_key
from control_plane.live.model.permissions import Permission, find_key
from control_plane.live.model.starts import Start
from control_plane.live.service.broadcasts import Started
from control_plane.live.service.lifecycle import Source
from control_plane.live.store import grants, keys
from control_plane.people.model.users import User
from control_plane.wiring.services import Services
from tests.support.nodes import NEWEST


async def _again(opened: Services, user: User, times: int) -> list[Started]:
    return [await opened.broadcasts.start(user, Start()) for _ in range(times)]


async def _permission(opened: Services, path: str) -> Permission:
    return (await keys.permissions(opened.pool, [path]))[path]


def _opens(opened: Services, permission: Permission, key: str) -> bool:
    digest = hash_key(opened.secrets.key_peppers(), key)
    return find_key(permission, [digest]) is not None


async def _publish(opened: Services, started: Started) -> None:
    path = started.session.path
    digest = hash_key(opened.secrets.key_peppers(), started.key)
    key = find_key(await _permission(opened, path), [digest])
    assert key is not None
    await grants.add(opened.pool, "local", "one", path, key.id)
    source = Source("local", path, "rtmpConn", "one")
    assert await opened.lifecycle.ready(source, listed_at=NEWEST) == "started"


async def test_the_newest_of_many_keys_open_it(opened: Services, ann: User) -> None:
    starts = await _again(opened, ann, MOST_OF_SESSION + 3)
    permission = await _permission(opened, starts[0].session.path)
    assert len(permission.keys) < MOST_OF_SESSION
    assert _opens(opened, permission, starts[-1].key)
    assert _opens(opened, permission, starts[-2].key)
    assert not _opens(opened, permission, starts[0].key)


async def test_the_key_of_the_running_publisher_is_never_given_up(
    opened: Services, ann: User
) -> None:
    (first,) = await _again(opened, ann, 1)
    await _publish(opened, first)
    starts = await _again(opened, ann, MOST_OF_SESSION + 3)
    permission = await _permission(opened, first.session.path)
    assert len(permission.keys) == MOST_OF_SESSION
    assert _opens(opened, permission, first.key)
    assert _opens(opened, permission, starts[-1].key)


async def test_keys_that_were_replaced_are_not_loaded(
    opened: Services, ann: User
) -> None:
    starts = await _again(opened, ann, 3)
    await _publish(opened, starts[-1])
    permission = await _permission(opened, starts[0].session.path)
    assert [key.published for key in permission.keys.values()] == [True]
