"""However long the log is, a page of it costs the same."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from control_plane.base.database import Executor
from control_plane.events import store
from control_plane.events.model import BEGINNING
from tests.support.plans import Explaining

FILL = """
    INSERT INTO events (xid, subject, subject_id, seq, type, version, data, created_at)
    SELECT n::text::xid8, 'user', n % 100, n / 100, 'coins.bonus', 1, '{}',
        date_trunc('month', now()) + make_interval(months => n % 3)
    FROM generate_series(1, 60000) AS n
"""


@pytest.fixture
async def explaining(owner_url: str) -> AsyncIterator[Explaining]:
    connection = await asyncpg.connect(owner_url)
    await connection.execute(FILL)
    await connection.execute("ANALYZE events")
    yield Explaining(connection)
    await connection.close()


ASKED: dict[str, Callable[[Executor], Awaitable[object]]] = {
    "after": lambda asked: store.after(asked, BEGINNING, 100),
    "newest": lambda asked: store.newest(asked, 10),
    "of_subject": lambda asked: store.of_subject(asked, "user", 5, 0),
    "of_subject_after": lambda asked: store.of_subject_after(
        asked, BEGINNING, "user", 5
    ),
}


@pytest.mark.parametrize("name", ASKED)
async def test_a_page_is_found_by_an_index(name: str, explaining: Explaining) -> None:
    await ASKED[name](explaining)
    assert "Index Scan" in explaining.plan
    assert "Seq Scan on events_2" not in explaining.plan


async def test_the_log_is_not_sorted_for_a_page(explaining: Explaining) -> None:
    for name in ("after", "newest"):
        await ASKED[name](explaining)
        assert "Merge Append" in explaining.plan
        assert "Bitmap" not in explaining.plan
