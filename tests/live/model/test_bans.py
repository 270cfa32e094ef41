from datetime import UTC, datetime

import pytest

from control_plane.base.tokens import ViewerToken
from control_plane.live.model.bans import Ban, BanList, Banned, mark, network

NOW = 1000.0


def banned(*whom: Banned, ends_at: float | None = None) -> BanList:
    end = None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)
    began = datetime.fromtimestamp(0, UTC)
    return BanList(Ban(1, one, "", "", began, end, None) for one in whom)


@pytest.mark.parametrize(
    ("text", "address", "there"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.0/24", "203.0.113.255", True),
        ("203.0.113.0/24", "203.0.114.0", False),
        ("203.0.113.9/24", "203.0.113.1", True),
        ("203.0.113.0/24", "::ffff:203.0.113.1", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("2001:db8::/32", "32.1.13.184", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("203.0.113.7", "", False),
        ("203.0.113.7", "nobody", False),
        # All of one customer's.
        ("2001:db8:1:2::5", "2001:db8:1:2::9", True),
        ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
    ],
)
def test_who_is_in_a_range(text: str, address: str, there: bool) -> None:
    bans = banned(Banned(network=network(text)))
    assert bans.has_address(address, NOW) is there


def test_several_ranges() -> None:
    bans = banned(
        *(Banned(network=one) for one in ("10.0.0.0/8", "192.0.2.0/24", "192.0.2.1/32"))
    )
    assert bans.has_address("10.9.9.9", NOW)
    assert bans.has_address("192.0.2.1", NOW)
    assert not bans.has_address("192.0.3.1", NOW)


@pytest.mark.parametrize(
    "text", ["", "x", "0.0.0.0/0", "10.0.0.0/7", "::/0", "1/2/3", "::ffff:1.2.3.0/120"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        network(text)


def test_a_ban_ends_by_itself() -> None:
    bans = banned(Banned(5), Banned(device="d"), ends_at=NOW)
    assert bans.has_user(5, NOW - 1)
    assert bans.has_device(mark("d"), NOW - 1)
    assert not bans.has_user(5, NOW)
    assert not bans.has_device(mark("d"), NOW)


@pytest.mark.parametrize(
    ("whom", "falls"),
    [
        (Banned(5), True),
        (Banned(6), False),
        (Banned(device="phone"), True),
        (Banned(device="other"), False),
        (Banned(network="192.0.2.0/24"), True),
    ],
)
def test_who_watches_falls_under_it(whom: Banned, falls: bool) -> None:
    token = ViewerToken("v", "live/1", 5, 0, 0, mark("phone"))
    assert BanList.of(whom).covers("192.0.2.1", token, NOW) is falls


def test_a_guest_has_no_device() -> None:
    guest = ViewerToken("v", "live/1", 0, 0)
    assert not banned(Banned(device="phone")).covers("192.0.2.1", guest, NOW)
    assert not BanList().covers("192.0.2.1", None, NOW)
