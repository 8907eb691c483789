"""What Pillow and its plugins hold in memory while they decode a picture, at most.

Their pixels are only a part of it: WebP has four copies of a picture, a progressive JPEG the
coefficients of its full size however small it is decoded. tests/test_decode_cost.py measures it.
"""

from __future__ import annotations

from PIL import Image, TiffImagePlugin

from library.memory import BYTES_PER_MEGAPIXEL

BAND = 64
"""Rows of the reduced picture that are made at a time: see `photos.py`."""
# Bytes a pixel, the decoder's own buffers and Pillow's copies. Decoding AVIF and HEIF takes more
# for 10 bits and for full colour resolution, which nothing says before.
_WHOLE = {"WEBP": 17, "AVIF": 14, "HEIF": 16}
_COPIES_OF_THE_FILE = 2
_COEFFICIENT = 2


def reduction(size: tuple[int, int], least: int) -> int:
    """The whole factor by which a decoded picture is reduced, both sides staying above `least`."""
    return max(1, min(size) // max(1, least))


def of_image(
    image: Image.Image, full: tuple[int, int], least: int, file_bytes: int, buffered: bool
) -> float:
    """What decoding, reducing and turning an opened picture holds, in megapixels of four bytes.

    `full` is its size before any draft; `buffered` says that a JPEG comes in several scans.
    """
    pixels = image.width * image.height
    if image.format in _WHOLE:
        held = _WHOLE[image.format] * pixels + _COPIES_OF_THE_FILE * file_bytes
    else:
        held = _pixel_bytes(image.mode) * pixels
    if buffered:
        held += _COEFFICIENT * len(image.getbands()) * full[0] * full[1]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        held += _tiff(image)
    return (held + _reducing(image.mode, image.size, least)) / BYTES_PER_MEGAPIXEL


def of_gif(size: tuple[int, int], least: int) -> float:
    """The same for a GIF: its pixels, and what the first frame leaves behind for the second."""
    return (2 * size[0] * size[1] + _reducing("P", size, least)) / BYTES_PER_MEGAPIXEL


def _tiff(image: TiffImagePlugin.TiffImageFile) -> int:
    """libtiff's buffer, which may hold the whole picture, and Pillow's copy to turn it."""
    tags = image.tag_v2
    width, height = image.size
    held = 0
    if tags.get(TiffImagePlugin.COMPRESSION, 1) != 1:
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        samples = max(len(bits), tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
        rows = min(max(image.size), tags.get(TiffImagePlugin.ROWSPERSTRIP, 2**32))
        tile = tags.get(TiffImagePlugin.TILEWIDTH, 0) * tags.get(TiffImagePlugin.TILELENGTH, 0)
        # JPEG's coefficients take two bytes a sample beside the sample.
        share = 3 if "jpeg" in image.info.get("compression", "") else 1
        held += share * samples * max(bits) * max(tile, rows * max(image.size)) // 8
    if tags.get(274, 1) != 1:
        held += _pixel_bytes(image.mode) * width * height
    return held


def _reducing(mode: str, size: tuple[int, int], least: int) -> int:
    """The reduced picture, once more to turn it, and the copies of a band that is reduced."""
    width, height = size
    factor = reduction(size, least)
    reduced = -(-width // factor) * -(-height // factor)
    band = width * min(height, BAND * factor)
    return 2 * 4 * reduced + (24 if mode in ("I", "F") else 8) * band


def _pixel_bytes(mode: str) -> int:
    """What Pillow takes for a pixel of a mode."""
    if mode in ("1", "L", "P"):
        return 1
    return 2 if mode.startswith("I;16") else 4
