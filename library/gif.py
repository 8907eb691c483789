"""GIF, which Pillow decodes; how large it is and how many frames it has is read here before.

Pillow makes room for a frame while it opens the file, and what a frame says of its size is free:
43 bytes can ask for four gigabytes. Blocks as in the GIF89a specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from library import decode_cost, still
from library.errors import PhotoError
from library.header import Loaded

_EXTENSION, _FRAME, _TRAILER = b"!", b",", b";"
_COMMENT = 0xFE
# Blocks of 255 bytes: beyond these nobody's first frame comes, or nobody counts the frames.
_FIRST_WITHIN, _COUNTED_WITHIN = 2**16, 2**20


def is_gif(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a GIF."""
    return head.startswith((b"GIF87a", b"GIF89a"))


@dataclass(frozen=True, slots=True)
class GifHeader:
    """A GIF whose blocks were counted; it is not opened yet."""

    stream: BinaryIO
    width: int
    height: int
    frames: int
    least: int

    @property
    def megapixels(self) -> float:
        """What decoding the first frame will hold in memory: see `decode_cost.py`."""
        return decode_cost.of_gif((self.width, self.height), self.least)

    def load(self) -> Loaded:
        """Decode the first frame."""
        self.stream.seek(0)
        image = Image.open(self.stream, formats=("GIF",))
        return still.loaded(image, self.width, self.height, self.frames)


def read_header(stream: BinaryIO, least: int) -> GifHeader:
    """Find the first frame, which may be larger than the screen, and count all of them.

    Raises PhotoError when there is no frame where one should be.
    """
    stream.seek(0)
    head = stream.read(13)
    if len(head) < 13:
        raise PhotoError("damaged: it ends in its header")
    width, height, flags = struct.unpack_from("<HHB", head, 6)
    _skip_palette(stream, flags)
    frames = 0
    for left, top, across, down in _frames(stream):
        if not frames:
            width, height = max(width, left + across), max(height, top + down)
        frames += 1
    if not frames:
        raise PhotoError("damaged: there is no frame in it")
    return GifHeader(stream, width, height, frames, least)


def _frames(stream: BinaryIO) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, width and height of each frame, as Pillow finds them."""
    blocks, most = 0, _FIRST_WITHIN
    while blocks < most and (kind := stream.read(1)) and kind != _TRAILER:
        blocks += 1
        if kind == _EXTENSION:
            label = stream.read(1)
            first = _skip_block(stream)
            # Pillow looks for another block after an empty one, except in comments.
            if first or label != bytes((_COMMENT,)):
                blocks += _skip_blocks(stream, most - blocks)
        elif kind == _FRAME:
            frame = stream.read(9)
            if len(frame) < 9:
                return
            yield struct.unpack_from("<4H", frame)
            _skip_palette(stream, frame[8])
            stream.read(1)
            most = _COUNTED_WITHIN
            blocks += _skip_blocks(stream, most - blocks)


def _skip_blocks(stream: BinaryIO, most: int) -> int:
    """Pass over blocks up to an empty one; gives how many there were."""
    count = 0
    while count < most and _skip_block(stream):
        count += 1
    return count


def _skip_block(stream: BinaryIO) -> int:
    size = stream.read(1)
    if not size:
        return 0
    stream.seek(size[0], 1)
    return size[0]


def _skip_palette(stream: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << (flags & 7) + 1, 1)
