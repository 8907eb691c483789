"""The formats that Pillow and its plugins read from a header on: all but RAW, JPEG XL and video."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import pillow_heif
from PIL import ExifTags, Image

from library import exif
from library.header import Loaded

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "HEIF")
"""Pillow's names. A file's bytes decide, never its extension."""


@dataclass(frozen=True, slots=True)
class StillHeader:
    """A picture that Pillow has opened, set to be decoded as small as it may be."""

    image: Image.Image
    width: int
    height: int

    @property
    def megapixels(self) -> float:
        """What decoding it will hold in memory, in millions of pixels."""
        return self.image.width * self.image.height / 1e6

    def load(self) -> Loaded:
        """Decode the pixels."""
        image = self.image
        frames = getattr(image, "n_frames", 1)  # before the load: counting moves in the file
        image.load()
        found = image.getexif()
        orientation = found.get(ExifTags.Base.Orientation, 1)  # 1 where the plugin turned it
        width, height = upright(self.width, self.height, orientation)
        name = "JPEG" if image.format == "MPO" else image.format or ""
        return Loaded(image, orientation, width, height, name, frames, exif.read(found))


def read_header(stream: BinaryIO, least: int) -> StillHeader:
    """Open a picture and choose how small it may be decoded; both sides stay above `least` px.

    JPEGs are decoded at 1/2, 1/4 or 1/8 of their size (libjpeg's scaled DCT, `Image.draft`).
    Raises whatever Pillow and its plugins raise.
    """
    prepare()
    image = Image.open(stream, formats=FORMATS)
    width, height = image.size
    image.draft("RGB", (least, least))
    return StillHeader(image, width, height)


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
