"""JPEG XL, through pillow-jxl-plugin where it is installed.

The plugin decodes when it opens, so the size is read here first (ISO/IEC 18181-1, SizeHeader;
18181-2 for the container).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from PIL import ExifTags, Image

from library import exif, still
from library.boxes import boxes
from library.errors import PhotoError
from library.formats import JPEG_XL
from library.header import Loaded

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BYTES = 16
# Of four bytes a pixel: what the decoder works with (four channels of 32 bits, where nothing was
# lost), what it gives and Pillow's picture.
_COPIES = 6


def is_jpeg_xl(head: bytes) -> bool:
    """Whether a file that begins with these bytes is JPEG XL."""
    return head.startswith((_CODESTREAM, _CONTAINER))


@dataclass(frozen=True, slots=True)
class JpegXlHeader:
    """A JPEG XL picture whose size is known."""

    stream: BinaryIO
    width: int
    height: int

    @property
    def megapixels(self) -> float:
        """What decoding it will hold in memory, in millions of pixels."""
        return _COPIES * self.width * self.height / 1e6

    def load(self) -> Loaded:
        """Decode the pixels."""
        _register()
        self.stream.seek(0)
        try:
            image = Image.open(self.stream, formats=("JXL",))
        except RuntimeError as error:  # "Generic Error. Please build `libjxl` from source ..."
            raise PhotoError("damaged: libjxl cannot decode it") from error
        found = image.getexif()
        # Pixels come upright, whatever EXIF says (18181-1 has an orientation of its own), except
        # those of a JPEG that was packed losslessly: they come as they lay in the JPEG.
        packed = getattr(image, "jpeg", False)
        orientation = found.get(ExifTags.Base.Orientation, 1) if packed else 1
        width, height = still.upright(*image.size, orientation)
        return Loaded(image, orientation, width, height, "JXL", 1, exif.read(found))


def read_header(stream: BinaryIO, head: bytes) -> JpegXlHeader:
    """Read the size. Raises PhotoError when there is none, or the plugin is not installed."""
    if not JPEG_XL.installed:
        raise PhotoError(JPEG_XL.needed)
    codestream = head if head.startswith(_CODESTREAM) else _codestream(stream)
    if not codestream.startswith(_CODESTREAM) or len(codestream) < _SIZE_BYTES:
        raise PhotoError("damaged: it has no JPEG XL codestream")
    return JpegXlHeader(stream, *_size(codestream[2:_SIZE_BYTES]))


def _codestream(stream: BinaryIO) -> bytes:
    """The first bytes of the codestream in a container, where it may lie in parts."""
    found = b""
    for box in boxes(stream):
        if box.type == b"jxlc":
            return box.read(stream, _SIZE_BYTES)
        if box.type == b"jxlp":  # a number of four bytes, then a part
            found += box.read(stream, 4 + _SIZE_BYTES)[4:]
        if len(found) >= _SIZE_BYTES:
            break
    return found


def _size(header: bytes) -> tuple[int, int]:
    """Width and height from the bits of a SizeHeader, the lowest bit of each byte first."""
    bits = int.from_bytes(header, "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    def side(small: int) -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    small = take(1)
    height = side(small)
    ratio = take(3)
    if not ratio:
        return side(small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _register() -> None:
    from pillow_jxl import JpegXLImagePlugin

    still.prepare()
    # The readers are threads already; by default each decode takes every core.
    JpegXLImagePlugin.DECODE_THREADS = 0
