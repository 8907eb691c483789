"""Small files that ask for much: sizes, frames, tags and scans that nobody's picture has."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence

from PIL import Image

SIDE = 30_000
"""The width and height that every `*_header` claims."""

Tag = tuple[int, int, int, int]


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"") -> bytes:
    """A PNG of 8-bit RGB that claims to be so large."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def gif(frames: int = 1, width: int = 1, height: int = 1, extension: bytes = b"") -> bytes:
    """A GIF of a screen of one pixel, with frames of the given size."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\x01\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0"
    return screen + extension + frame * frames + b";"


def tiff(tags: Sequence[Tag], after: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory (tag, type, count, value or offset) and what lies after it."""
    return b"II*\0" + struct.pack("<L", 8) + _directory(tags, following) + after


def _directory(tags: Sequence[Tag], following: int) -> bytes:
    entries = b"".join(struct.pack("<HHLL", *tag) for tag in tags)
    return struct.pack("<H", len(tags)) + entries + struct.pack("<L", following)


def grey(width: int = 1, height: int = 1, compression: int = 1, *more: Tag) -> list[Tag]:
    """The tags of an 8-bit grey TIFF in one strip, whose bytes begin at 8."""
    strip = [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width)]
    head = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression)]
    return sorted([*head, (262, 3, 1, 1), *strip, *more])


def tiff_of_pages(count: int) -> bytes:
    """A TIFF of so many pages of one pixel."""
    size = len(_directory(grey(), 0))
    pages = (_directory(grey(), 8 + size * number) for number in range(1, count))
    return b"II*\0" + struct.pack("<L", 8) + b"".join(pages) + _directory(grey(), 0)


def _tiff_of_offsets(count: int) -> bytes:
    """As many strips as rows: a number for each, and a tile of Pillow's for each."""
    tags = [tag for tag in grey(1, count) if tag[0] not in (273, 278, 279)]
    tags += [(273, 4, count, 200), (278, 4, 1, 1)]
    return tiff(sorted(tags)).ljust(200, b"\0") + bytes(4 * count)


def _tiff_of_a_tile(side: int) -> bytes:
    tags = [tag for tag in grey(1, 1, 8) if tag[0] not in (273, 278, 279)]
    tags += [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 200), (325, 4, 1, 900)]
    return tiff(sorted(tags)).ljust(200, b"\0") + zlib.compress(bytes(10**6))


def _tiff_of_tags(count: int) -> bytes:
    """Tags that each claim the whole file."""
    whole = 8 + 2 + 12 * count + 4
    return tiff(grey(1, 1, 1, *((1000 + n, 7, whole, 0) for n in range(count - len(grey())))))


def _jpeg(progressive: bool) -> bytes:
    out = io.BytesIO()
    Image.new("L", (64, 64), 99).save(out, "JPEG", progressive=progressive)
    return out.getvalue()


def jpeg_header(width: int, height: int, progressive: bool = False) -> bytes:
    """A JPEG of 64 x 64 pixels that claims another size."""
    whole = _jpeg(progressive)
    start = whole.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return whole[:start] + struct.pack(">HH", height, width) + whole[start + 4 :]


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    return jpeg_of_passes(count, 64)


def jpeg_of_passes(count: int, side: int) -> bytes:
    """A progressive JPEG of so many pixels a side, all the same, in so many scans more."""
    out = io.BytesIO()
    Image.new("L", (side, side), 99).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * count + b"\xff\xd9"


def bmp(width: int, height: int) -> bytes:
    """A BMP that claims to be so large."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + info + bytes(100)


def webp(width: int, height: int) -> bytes:
    """A lossless WebP that claims to be so large (16383 at most)."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "WEBP", lossless=True)
    whole = out.getvalue()
    (bits,) = struct.unpack_from("<I", whole, 21)
    bits = bits & ~0xFFFFFFF | (height - 1) << 14 | (width - 1)
    return whole[:21] + struct.pack("<I", bits) + whole[25:]


def boxed(kind: str, width: int, height: int) -> bytes:
    """An AVIF or HEIC whose `ispe` box claims another size."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, kind)
    whole = out.getvalue()
    start = whole.index(b"ispe") + 8
    return whole[:start] + struct.pack(">II", width, height) + whole[start + 8 :]


def _exif_of_tags(count: int) -> bytes:
    """A PNG whose EXIF has tags that each claim all of it."""
    return png(1, 1, _chunk(b"eXIf", _tiff_of_tags(count)), pixels=bytes(4))


LARGE: dict[str, Callable[[], bytes]] = {
    "header.png": lambda: png(SIDE, SIDE),
    "header.gif": lambda: gif(1, SIDE, SIDE),
    "disposed.gif": lambda: gif(1, 65535, 65535, b"!\xf9\x04\x09\1\0\0\0"),
    "header.bmp": lambda: bmp(SIDE, SIDE),
    "header.tiff": lambda: tiff(grey(SIDE, SIDE)),
    "strip.tiff": lambda: tiff(grey(SIDE, SIDE, 8)),
    "tile.tiff": lambda: _tiff_of_a_tile(2**16),
    "header.webp": lambda: webp(16_383, 16_383),
    "header.heic": lambda: boxed("HEIF", SIDE, SIDE),
    "progressive.jpg": lambda: jpeg_header(SIDE, SIDE, progressive=True),
}
"""What is too large, as its header says."""

ABSURD: dict[str, Callable[[], bytes]] = {
    "header.avif": lambda: boxed("AVIF", SIDE, SIDE),
    "blocks.gif": lambda: gif(extension=b"!\xfe" + b"\1a" * 10**6 + b"\0"),
    "tags.tiff": lambda: _tiff_of_tags(60_000),
    "offsets.tiff": lambda: _tiff_of_offsets(10**6),
    "scans.jpg": lambda: jpeg_of_scans(5000),
    "text.png": lambda: png(1, 1, _chunk(b"zTXt", b"a\0\0" + _zeros(10**8)), pixels=bytes(4)),
    "profile.png": lambda: png(1, 1, _chunk(b"iCCP", b"a\0\0" + _zeros(10**8)), pixels=bytes(4)),
}
"""What no picture has; it is damaged, however sound its pixels are."""

ODD: dict[str, Callable[[], bytes]] = {
    "header.jpg": lambda: jpeg_header(SIDE, SIDE),
    "frames.gif": lambda: gif(200_000),
    "pages.tiff": lambda: tiff_of_pages(5000),
    "exif.png": lambda: _exif_of_tags(2000),
    "pixels.png": lambda: png(1, 1, pixels=bytes(10**8)),
}
"""What takes little after all, and is indexed."""


def _zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)
