"""A body arrives in pieces."""

import asyncio

import pytest

from control_plane.base.streams import whole


def _stream(*pieces: bytes) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    return stream


async def test_a_body_that_comes_in_pieces_is_whole() -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b"one ")
    reading = asyncio.create_task(whole(stream, 100))
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_data(b"two")
    stream.feed_eof()
    assert await reading == b"one two"


@pytest.mark.parametrize(("most", "read"), [(3, b"abc"), (4, b"abc"), (2, None)])
async def test_the_limit_is_the_last_length_that_passes(
    most: int, read: bytes | None
) -> None:
    assert await whole(_stream(b"a", b"bc"), most) == read


async def test_no_body_is_an_empty_one() -> None:
    assert await whole(_stream(), 0) == b""
