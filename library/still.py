"""What Pillow and its plugins open without decoding: all but GIF, RAW, JPEG XL and video."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import pillow_heif
from PIL import ExifTags, Image, JpegImagePlugin

from library import decode_cost, exif, jpeg, tiff
from library.errors import PhotoError
from library.header import Loaded

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "HEIF")
"""Pillow's names. A file's bytes decide, never its extension."""
_LARGEST_IN_MEMORY = 2**28


@dataclass(frozen=True, slots=True)
class StillHeader:
    """A picture that Pillow has opened, set to be decoded as small as it may be."""

    image: Image.Image
    width: int
    height: int

    megapixels: float
    """What decoding it will hold in memory: see `decode_cost.py`."""
    frames: int = 1
    least: int | None = None
    """A thumbnail in the file will do, when both its sides are above this."""

    def load(self) -> Loaded:
        """Decode the pixels."""
        if self.least:
            self.image.draft("RGB", (self.least, self.least))
        return loaded(self.image, self.width, self.height, self.frames)


def read_header(stream: BinaryIO, least: int) -> StillHeader:
    """Open a picture and choose how small it may be decoded; both sides stay above `least` px.

    JPEGs are decoded at 1/2, 1/4 or 1/8 of their size (libjpeg's scaled DCT, `Image.draft`).
    Raises PhotoError, and whatever Pillow and its plugins raise.
    """
    prepare()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    if size > _LARGEST_IN_MEMORY and (head[4:8] == b"ftyp" or head[8:12] == b"WEBP"):
        raise PhotoError("too large: a file of such a format has to be read as a whole")
    buffered = jpeg.is_jpeg(head) and jpeg.is_buffered(stream)
    pages = tiff.count_pages(stream) if tiff.is_tiff(head) else None
    stream.seek(0)
    image = Image.open(stream, formats=FORMATS)
    full = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft("RGB", (least, least))
    held = decode_cost.of_image(image, full, least, size, buffered)
    frames = pages if pages is not None else int(getattr(image, "n_frames", 1))
    return StillHeader(image, *full, held, frames, least if image.format == "HEIF" else None)


def loaded(image: Image.Image, width: int, height: int, frames: int) -> Loaded:
    """The decoded pixels of an opened picture, whose size is given as it is stored."""
    image.load()
    found = image.getexif()
    orientation = found.get(ExifTags.Base.Orientation, 1)  # 1 where the plugin turned it
    width, height = upright(width, height, orientation)
    name = "JPEG" if image.format == "MPO" else image.format or ""
    return Loaded(image, orientation, width, height, name, frames, exif.read(found))


def upright(width: int, height: int, orientation: int) -> tuple[int, int]:
    """The size of a picture of this size after the orientation was applied."""
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)


@cache
def prepare() -> None:
    """Ready Pillow for all formats, once a process."""
    Image.init()  # Image.open(formats=...) knows only what was registered
    pillow_heif.register_heif_opener()
    # Damaged EXIF and the like: of no use to anybody in the middle of a crawl's progress.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # Our own limit is on what is decoded, not on what the header says: see photos.read_header.
    Image.MAX_IMAGE_PIXELS = None
