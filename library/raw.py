"""RAW photos, through LibRaw (rawpy) where it is installed: the preview that the camera embedded,
or, where that is too small, the sensor's pixels at half their size.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from PIL import ExifTags, Image

from library import raw_exif, still
from library.errors import PhotoError
from library.exif import Taken
from library.formats import RAW
from library.header import Header, Loaded
from library.raw_exif import Container
from library.still import StillHeader

if TYPE_CHECKING:
    import numpy as np
    import rawpy
    from numpy.typing import NDArray

# LibRaw wants the file in memory. No camera writes as much.
_LARGEST_FILE = 2**30
# Bytes for each pixel of the sensor, over the four of a decoded one: 16 bits of each, and of every
# 2 x 2 four channels of 16 bits and three of 8, and Pillow's four; where each has all colours,
# nothing is halved.
_MOSAIC, _LINEAR = 5.75 / 4, 23 / 4
# LibRaw's flip, bits for mirrored across, mirrored down and swapped, as EXIF numbers it.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)


@dataclass(frozen=True, slots=True)
class _Full:
    """What a RAW file says of its picture. The size is the sensor's, as it was read out."""

    name: str
    width: int
    height: int
    orientation: int
    taken: Taken

    def loaded(self, image: Image.Image, orientation: int, taken: Taken) -> Loaded:
        """The picture, with these pixels for it."""
        width, height = still.upright(self.width, self.height, self.orientation)
        return Loaded(image, orientation, width, height, self.name, 1, self.taken.or_else(taken))


@dataclass(frozen=True, slots=True)
class PreviewHeader:
    """A RAW photo that is shown by its embedded preview."""

    full: _Full
    preview: StillHeader

    @property
    def width(self) -> int:
        """The sensor's, in pixels."""
        return self.full.width

    @property
    def height(self) -> int:
        """The sensor's, in pixels."""
        return self.full.height

    @property
    def megapixels(self) -> float:
        """What decoding the preview will hold in memory, in millions of pixels."""
        return self.preview.megapixels

    def load(self) -> Loaded:
        """Decode the preview; it says itself how it lies, or lies as the sensor does."""
        loaded = self.preview.load()
        says = ExifTags.Base.Orientation in loaded.image.getexif()
        orientation = loaded.orientation if says else self.full.orientation
        return self.full.loaded(loaded.image, orientation, loaded.taken)


@dataclass(frozen=True, slots=True)
class SensorHeader:
    """A RAW photo that has to be developed from the sensor's pixels."""

    full: _Full
    opened: rawpy.RawPy
    megapixels: float
    """What developing it will hold in memory, in millions of decoded pixels."""
    preview: PreviewHeader | None
    """A small one, for want of better."""

    @property
    def width(self) -> int:
        """The sensor's, in pixels."""
        return self.full.width

    @property
    def height(self) -> int:
        """The sensor's, in pixels."""
        return self.full.height

    def load(self) -> Loaded:
        """Develop it at half its size, with the camera's white balance."""
        import rawpy

        try:
            with self.opened as opened:
                pixels = opened.postprocess(half_size=True, use_camera_wb=True, user_flip=0)
        except rawpy.LibRawError as error:
            if self.preview is None:
                raise PhotoError(f"damaged: {_said(error)}") from error
            return self.preview.load()
        return self.full.loaded(_image(pixels), self.full.orientation, Taken())


def read_header(stream: BinaryIO, head: bytes, least: int) -> Header | None:
    """Open a RAW photo; None for what is none, or is a TIFF that LibRaw knows nothing of.

    `head` is what the file begins with; a decode keeps both sides above `least` pixels where it
    can. Raises PhotoError when LibRaw cannot read it, or is missing.
    """
    container = raw_exif.read(stream, head)
    if container is None:
        return None
    if not RAW.installed:
        if container.is_tiff:
            return None
        raise PhotoError(RAW.needed)
    import rawpy

    if stream.seek(0, io.SEEK_END) > _LARGEST_FILE:
        raise PhotoError("larger than any camera's RAW file")
    stream.seek(0)
    try:
        opened = rawpy.imread(stream)
    except rawpy.LibRawError as error:
        if container.is_tiff:
            return None
        raise PhotoError(f"a RAW photo that LibRaw cannot read: {_said(error)}") from error
    return _choose(opened, container, least)


def _choose(opened: rawpy.RawPy, container: Container, least: int) -> Header:
    """The preview, unless developing the sensor's pixels gives more and more is wanted."""
    sizes = opened.sizes
    cropped = 0 < sizes.crop_width <= sizes.width and 0 < sizes.crop_height <= sizes.height
    width, height = (
        (sizes.crop_width, sizes.crop_height) if cropped else (sizes.width, sizes.height)
    )
    orientation = _ORIENTATIONS[sizes.flip & 7]
    full = _Full(container.name, width, height, orientation, container.taken)
    found = _preview(opened, least)
    preview = PreviewHeader(full, found) if found else None
    if preview and found and min(found.width, found.height) >= min(least, min(width, height) // 2):
        opened.close()
        return preview
    share = _LINEAR if container.linear else _MOSAIC
    pixels = sizes.raw_width * sizes.raw_height / 1e6
    return SensorHeader(full, opened, share * pixels, preview)


def _preview(opened: rawpy.RawPy, least: int) -> StillHeader | None:
    """The largest preview that was embedded, or None when there is none that can be opened."""
    import rawpy

    try:
        found = opened.extract_thumb()
        if isinstance(found.data, bytes):
            return still.read_header(io.BytesIO(found.data), least)
    except (rawpy.LibRawError, NotImplementedError, PhotoError, OSError, SyntaxError):
        return None
    image = _image(found.data)
    return StillHeader(image, *image.size, megapixels=image.width * image.height / 1e6)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    """LibRaw's pixels, of one colour or three."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _said(error: Exception) -> str:
    """What LibRaw says, which comes as bytes."""
    (said,) = error.args or ("no reason given",)
    return said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
