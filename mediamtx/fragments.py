"""What the boxes of fragmented MP4 tell."""

from collections.abc import Iterator

Box = tuple[bytes, memoryview]


def frames(header: bytes, segment: bytes) -> int:
    """How many pictures a segment has; 0 where that cannot be told. The segment may be
    cut anywhere behind its last ``moof``."""
    track = _picture(header)
    return sum(
        _samples(fragment)
        for moof in _all(memoryview(segment), b"moof")
        for fragment in _all(moof, b"traf")
        if track and _number(fragment, b"tfhd", 4) == track
    )


def _picture(of: bytes) -> int:
    """Its track; 0: there is none."""
    for moov in _all(memoryview(of), b"moov"):
        for track in _all(moov, b"trak"):
            kinds = [h[8:12] for m in _all(track, b"mdia") for h in _all(m, b"hdlr")]
            if b"vide" in kinds:
                newer = any(header[0] == 1 for header in _all(track, b"tkhd") if header)
                return _number(track, b"tkhd", 20 if newer else 12)
    return 0


def _samples(fragment: memoryview) -> int:
    return sum(int.from_bytes(run[4:8]) for run in _all(fragment, b"trun"))


def _number(of: memoryview, name: bytes, at: int) -> int:
    return next((int.from_bytes(box[at : at + 4]) for box in _all(of, name)), 0)


def _all(of: memoryview, name: bytes) -> Iterator[memoryview]:
    return (body for kind, body in _boxes(of) if kind == name)


def _boxes(of: memoryview) -> Iterator[Box]:
    at = 0
    while at + 8 <= len(of):
        size = int.from_bytes(of[at : at + 4])
        if size < 8:  # to the end, or of a size that no fragment has
            return
        yield bytes(of[at + 4 : at + 8]), of[at + 8 : at + size]
        at += size
