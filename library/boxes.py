"""Boxes: how MP4, QuickTime, HEIF, Canon's CR3 and JPEG XL's container lie in a file.

ISO/IEC 14496-12, section 4.2: a size, a type of four letters, the content.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MOST = 1000
"""More on one level are no file of anybody's."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, and where in the stream its content begins and ends."""

    type: bytes
    start: int
    end: int

    def read(self, stream: BinaryIO, most: int) -> bytes:
        """At most `most` bytes of its content."""
        stream.seek(self.start)
        return stream.read(min(most, self.end - self.start))


def boxes(stream: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between two offsets, in order, up to the first that is none."""
    end = stream.seek(0, io.SEEK_END) if end is None else end
    for _ in range(_MOST):
        stream.seek(start)
        head = stream.read(16)
        size, content = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:], "big"), start + 16
        finish = start + size if size else end
        if len(head) < 8 or not content <= finish <= end:
            return
        yield Box(head[4:8], content, finish)
        start = finish
