"""What docs/events.md says of each type is what is written."""

from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from control_plane.base.database import Pool
from control_plane.events.log import append_user_event
from control_plane.events.model import EventType
from control_plane.events.reference import chapter
from control_plane.events.types import KINDS, DoesNotFit, encoded, schema
from tests.support.log import new_user, whole_log

DOCS = Path(__file__).parents[2] / "docs/events.md"
TYPES: tuple[EventType, ...] = get_args(EventType)


def test_every_type_is_described() -> None:
    assert set(KINDS) == set(TYPES)


def test_the_page_is_up_to_date() -> None:
    """`control-plane events types` prints that part of it."""
    assert chapter() in DOCS.read_text("utf-8")


@pytest.mark.parametrize("kind", TYPES)
def test_the_example_fits_the_schema(kind: EventType) -> None:
    Draft202012Validator.check_schema(schema(kind))
    validator = Draft202012Validator(schema(kind))
    validator.validate(KINDS[kind].example)
    assert not validator.is_valid({**KINDS[kind].example, "stream_key": "x"})
    assert encoded(kind, KINDS[kind].example)


async def test_what_does_not_fit_is_not_written(pool: Pool) -> None:
    user = await new_user(pool)
    for wrong in ({}, {"reason": 5}, {"reason": "x", "more": 1}):
        with pytest.raises(DoesNotFit):
            async with pool.transaction() as connection:
                await append_user_event(connection, user, "user.banned", wrong)
    assert await whole_log(pool) == []
