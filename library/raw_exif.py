"""What a RAW file says of itself around its pixels: which maker's it is, date, camera, place.

Most are TIFF files, some with a mark of their own in place of TIFF's (Olympus, Panasonic); CR3 is
made of boxes with TIFF directories in them. Fujifilm's keep everything in the preview.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from PIL import ExifTags, Image

from library import exif
from library.boxes import Box, boxes
from library.exif import Taken

_FUJIFILM = b"FUJIFILMCCD-RAW"
_CANON_CR3 = b"ftypcrx "
_TIFF = (b"II*\0", b"MM\0*")
_MARKS = {b"IIRO": "ORF", b"IIRS": "ORF", b"MMOR": "ORF", b"IIU\0": "RW2"}
_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_MAKERS = {"NIKON": "NEF", "SONY": "ARW"}
_DNG_VERSION = 0xC612
_PHOTOMETRIC, _LINEAR_RAW = 262, 34892
_MOST_EXIF = 2**20
_MOST = 100  # directories in a directory


@dataclass(frozen=True, slots=True)
class Container:
    """A file that is a RAW photo, or a TIFF that may be one."""

    name: str
    """Which maker's: CR2, CR3, NEF, ARW, DNG, ORF, RAF, RW2, or RAW."""
    is_tiff: bool
    taken: Taken
    linear: bool = False
    """Every pixel has all colours (a DNG may), so that nothing is halved in developing it."""


def read(stream: BinaryIO, head: bytes) -> Container | None:
    """What a file is that begins with `head`; None for what is surely no RAW photo.

    Raises what Pillow raises on damaged TIFF files.
    """
    if head.startswith(_FUJIFILM):
        return Container("RAF", False, Taken())
    if head[4:12] == _CANON_CR3:
        return Container("CR3", False, _canon(stream))
    mark = head[:4]
    if mark not in _TIFF and mark not in _MARKS:
        return None
    order: Literal["little", "big"] = "little" if head.startswith(b"II") else "big"
    found = _directory(stream, head, int.from_bytes(head[4:8], order))
    name = _MARKS.get(mark) or _name(found, head)
    if name is None:
        return None
    linear = name == "DNG" and _is_linear(stream, head, found)
    return Container(name, mark in _TIFF, exif.read(found), linear)


def _name(found: Image.Exif, head: bytes) -> str | None:
    if _DNG_VERSION in found:
        return "DNG"
    if head[8:10] == b"CR":
        return "CR2"
    if ExifTags.Base.SubIFDs not in found:
        return None
    make = exif.text(found.get(ExifTags.Base.Make)).upper()
    return next((name for maker, name in _MAKERS.items() if make.startswith(maker)), "RAW")


def _directory(stream: BinaryIO, head: bytes, offset: int) -> Image.Exif:
    """The TIFF directory at an offset. Not Image.open: it takes only pixels that it can decode."""
    found = Image.Exif()
    found.endian = "<" if head.startswith(b"II") else ">"
    found.load_from_fp(stream, offset)
    return found


def _is_linear(stream: BinaryIO, head: bytes, first: Image.Exif) -> bool:
    offsets = first.get(ExifTags.Base.SubIFDs, ())
    inner = offsets if isinstance(offsets, tuple) else (offsets,)
    directories = [first, *(_directory(stream, head, offset) for offset in inner[:_MOST])]
    return any(found.get(_PHOTOMETRIC) == _LINEAR_RAW for found in directories)


def _canon(stream: BinaryIO) -> Taken:
    """CR3 has a TIFF file for each directory of EXIF, in boxes of Canon's own."""
    found = {box.type: box for box in _canon_boxes(stream)}

    def directory(kind: bytes) -> Image.Exif:
        tags = Image.Exif()
        if kind in found:
            tags.load(found[kind].read(stream, _MOST_EXIF))
        return tags

    try:
        return exif.taken(directory(b"CMT1"), directory(b"CMT2"), directory(b"CMT4"))
    except Exception:  # as in exif.read
        return Taken()


def _canon_boxes(stream: BinaryIO) -> Iterator[Box]:
    for movie in boxes(stream):
        if movie.type == b"moov":
            for box in boxes(stream, movie.start, movie.end):
                if box.type == b"uuid" and box.read(stream, 16) == _CANON_UUID:
                    yield from boxes(stream, box.start + 16, box.end)
            return
