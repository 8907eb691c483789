"""TIFF's directories (TIFF 6.0, section 2; BigTIFF), walked before Pillow believes them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO, Literal

from library.errors import PhotoError

# The marks of TIFF and BigTIFF, and of RAW photos that are TIFF but for it.
_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
# Bytes for each type's value; those of the first line are read as they are, not as numbers.
_TEXTS = {1: 1, 2: 1, 6: 1, 7: 1}
_NUMBERS = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# More than any picture has: an entry is twelve bytes and may ask for the whole file, a number is
# one object, and Pillow takes the longer for each page the more came before it.
_MOST_ENTRIES, _MOST_NUMBERS, _MOST_PAGES = 4096, 200_000, 1000


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with these bytes has TIFF's directories."""
    return head.startswith(_MARKS)


def count_pages(stream: BinaryIO) -> int:
    """How many pages it has, up to a thousand.

    Raises PhotoError when a directory claims more than the file has or any picture needs.
    """
    layout = _Layout.of(stream)
    offset = layout.first
    seen = set[int]()
    while offset and offset not in seen and len(seen) < _MOST_PAGES:
        following = layout.check(stream, offset)
        if following is None:  # cut off, or nothing like a directory: Pillow says what it is
            break
        seen.add(offset)
        offset = following
    return max(1, len(seen))


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the numbers of a file are stored."""

    order: Literal["little", "big"]
    big: bool
    first: int
    size: int

    @classmethod
    def of(cls, stream: BinaryIO) -> _Layout:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        head = stream.read(16)
        order: Literal["little", "big"] = "little" if head.startswith(b"II") else "big"
        big = b"+" in head[2:4]
        return cls(order, big, int.from_bytes(head[8:16] if big else head[4:8], order), size)

    def check(self, stream: BinaryIO, offset: int) -> int | None:
        """Where the directory after this one lies: 0 for nowhere, None when this one is cut off."""
        count_bytes, entry_bytes, offset_bytes = (8, 20, 8) if self.big else (2, 12, 4)
        if offset > self.size:
            return None
        stream.seek(offset)
        count = int.from_bytes(stream.read(count_bytes), self.order)
        if count > _MOST_ENTRIES:
            raise PhotoError(f"damaged: a directory of {count} tags")
        entries = stream.read(count * entry_bytes)
        if len(entries) < count * entry_bytes:
            return None
        starts = range(0, len(entries), entry_bytes)
        claimed = sum(self._claimed(entries[start : start + entry_bytes]) for start in starts)
        if claimed > 2 * self.size:  # a little overlap is somebody's bug; this is none
            raise PhotoError("damaged: its tags claim more than the file has")
        return int.from_bytes(stream.read(offset_bytes), self.order)

    def _claimed(self, entry: bytes) -> int:
        """The bytes outside the directory that an entry stands for."""
        kind = int.from_bytes(entry[2:4], self.order)
        inline = 8 if self.big else 4
        count = int.from_bytes(entry[4 : 4 + inline], self.order)
        if kind in _NUMBERS and count > _MOST_NUMBERS and count * _NUMBERS[kind] <= self.size:
            raise PhotoError(f"damaged: a tag of {count} numbers")
        size = count * (_TEXTS.get(kind) or _NUMBERS.get(kind, 0))
        return size if inline < size <= self.size else 0
