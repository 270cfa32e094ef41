"""AMF0 as encoders write it: counts of arrays are hints, and newer types turn up."""

import struct
from collections.abc import Iterator
from typing import Any

END_OF_OBJECT = b"\x09"


class Reader:
    """Gives one value after the other. ValueError for what is no AMF0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __iter__(self) -> Iterator[Any]:
        while self._at < len(self._data):
            yield self._value()

    def _value(self) -> Any:
        match self._take(1)[0]:
            case 0x00:
                return struct.unpack(">d", self._take(8))[0]
            case 0x01:
                return self._take(1) != b"\x00"
            case 0x02:
                return self._text(2)
            case 0x03:
                return self._pairs()
            case 0x05 | 0x06:
                return None
            case 0x08:
                self._take(4)
                return self._pairs()
            case 0x0A:
                return [self._value() for _ in range(self._number(4))]
            case 0x0B:
                return struct.unpack(">dh", self._take(10))[0]
            case 0x0C:
                return self._text(4)
            case kind:
                raise ValueError(f"AMF0 type {kind}")

    def _pairs(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            name = self._text(2)
            if not name and self._data[self._at : self._at + 1] == END_OF_OBJECT:
                self._at += 1
                return found
            found[name] = self._value()

    def _text(self, size: int) -> str:
        return self._take(self._number(size)).decode()

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("AMF0 that ends too early")
        self._at += size
        return taken
