"""Open a picture once: upright RGB pixels, metadata and thumbnail from one decode.

Each kind of file is decoded as small as it may be (a JPEG at a part of its size, a RAW photo by
its preview, one frame of a video); what is still too large is reduced straight after, so that no
later step ever handles the full size.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from library import damage, gif, jpeg_xl, raw, still, tiff, video
from library.decode_cost import BAND, reduction
from library.errors import PhotoError, PhotoTooLargeError
from library.header import Header
from library.memory import BYTES_PER_MEGAPIXEL, MOST_MEGAPIXELS
from library.models import Metadata
from library.perceptual_hash import perceptual_hash, reduced
from library.time_limit import within

THUMBNAIL_SIZE = 512
THUMBNAIL_TYPE = "image/jpeg"
THUMBNAIL_QUALITY = 82
# How much of its size a thumbnail must have to be made the cheap way: most phones' photos do.
_NEARLY = 0.95
_LARGEST_PROFILE = 4096
_WHITE = (255, 255, 255)
SECONDS = 60.0
"""That no decode may take longer than, but for what `seconds_for` allows large ones."""
_MEGAPIXELS_A_SECOND = 10
_HEAD = 256  # bytes that tell what a file is
# EXIF orientation -> what makes the picture upright. Not ImageOps.exif_transpose: it needs the
# EXIF of the image it is given, which reduce() and compositing have dropped by then.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded picture: upright RGB on white, both sides at least `least` where they were."""

    image: Image.Image
    metadata: Metadata
    profile: bytes | None
    """The ICC profile that `image` is in, when it is worth keeping."""


def read_header(stream: BinaryIO, least: int, max_megapixels: int) -> Header:
    """Open a picture and choose how small it may be decoded; both sides stay above `least` px.

    Raises PhotoError when it is nothing that Kindred reads, or needs a package that is missing,
    PhotoTooLargeError when its decode would hold more than `max_megapixels`, PhotoTooSlowError
    when its header is endless.
    """
    with _decoding():
        header = within(SECONDS, lambda: _opened(stream, least, max_megapixels))
    if header.megapixels > max_megapixels:
        raise PhotoTooLargeError(_too_large(header, max_megapixels))
    return header


def decode(header: Header, least: int, byte_size: int) -> Photo:
    """Decode the pixels. Raises PhotoError, saying why, when the picture is damaged or endless."""
    with _decoding():
        loaded = within(seconds_for(header.megapixels), header.load)
        image = loaded.image
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
        pixels = _upright_rgb(image, loaded.orientation, least)
        # First to a few pixels, of which both are made: each way through all of them takes long.
        few = reduced(pixels)
        colour = few.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(colour, tuple)
    return Photo(
        pixels,
        Metadata(
            width=loaded.width,
            height=loaded.height,
            format=loaded.format,
            frames=loaded.frames,
            byte_size=byte_size,
            colour="#{:02x}{:02x}{:02x}".format(*colour),
            taken_at=loaded.taken.taken_at,
            camera=loaded.taken.camera,
            latitude=loaded.taken.latitude,
            longitude=loaded.taken.longitude,
            perceptual_hash=perceptual_hash(few),
        ),
        profile if profile and len(profile) <= _LARGEST_PROFILE else None,
    )


def seconds_for(megapixels: float) -> float:
    """What a decode may take, in which slow machines do it several times over."""
    return SECONDS + megapixels / _MEGAPIXELS_A_SECOND


def thumbnail(photo: Photo, size: int = THUMBNAIL_SIZE) -> bytes:
    """A JPEG of the picture, `size` pixels on its long side or little less, never enlarged."""
    out = io.BytesIO()
    image = thumbnail_pixels(photo, size)
    image.save(out, "JPEG", quality=THUMBNAIL_QUALITY, icc_profile=photo.profile)
    return out.getvalue()


def thumbnail_pixels(photo: Photo, size: int) -> Image.Image:
    """What `thumbnail` writes."""
    image = photo.image
    factor = math.ceil(max(image.size) / size)
    if factor > 1 and max(image.size) / factor > _NEARLY * size:
        return image.reduce(factor)  # the mean of so many pixels, much cheaper than any filter
    scale = min(1.0, size / max(image.size))
    target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if target == image.size:
        return image
    # At such small factors it is hardly told from bicubic, which takes longer.
    return image.resize(target, Image.Resampling.HAMMING, reducing_gap=2.0)


def _opened(stream: BinaryIO, least: int, max_megapixels: int) -> Header:
    """The header of whatever kind of file it is, which its bytes say and not its name."""
    still.prepare()
    head = stream.read(_HEAD)
    if jpeg_xl.is_jpeg_xl(head):
        return jpeg_xl.read_header(stream, head)
    if gif.is_gif(head):
        return gif.read_header(stream, least)
    if tiff.is_tiff(head):
        tiff.count_pages(stream)  # before LibRaw or Pillow follow it anywhere
    header = raw.read_header(stream, head, least)
    if header is not None:
        return header
    stream.seek(0)
    if video.is_video(head):
        return video.read_header(stream, head, least, max_megapixels)
    return still.read_header(stream, least)


def _too_large(header: Header, max_megapixels: int) -> str:
    needed = math.ceil(header.megapixels)
    megabytes = math.ceil(header.megapixels * BYTES_PER_MEGAPIXEL / 1e6)
    said = (
        f"too large: {header.width} x {header.height} pixels take {megabytes:,} MB of memory "
        "to decode"
    )
    if needed > MOST_MEGAPIXELS:
        return said
    return f"{said}; MAX_IMAGE_MEGAPIXELS={needed} would read it (now {max_megapixels})"


@contextmanager
def _decoding() -> Iterator[None]:
    """Whatever goes wrong in here is the picture's fault, and is said in one sentence.

    Pillow and its plugins raise some twenty types on damaged files (struct.error, zlib.error,
    TypeError, IndexError, ...) and document none, so this boundary catches them all.
    """
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:
        raise PhotoError(damage.sentence(error)) from error


def _upright_rgb(image: Image.Image, orientation: int, least: int) -> Image.Image:
    """Reduce by a whole factor, composite on white, orient. Takes `image` over."""
    factor = reduction(image.size, least)
    if image.mode == "RGB" and "transparency" not in image.info:
        image.info.clear()  # the file's comment would go into the thumbnail
        rgb = image if factor == 1 else image.reduce(factor)
    else:
        rgb = _composited(image, factor)
    turn = _TURNS.get(orientation)
    return rgb if turn is None else rgb.transpose(turn)


def _composited(image: Image.Image, factor: int) -> Image.Image:
    """Any mode, reduced, as RGB on white.

    By bands, so that the only thing of the picture's full size is its decode: converting a
    transparent picture as a whole would hold three more of it.
    """
    size = (-(-image.width // factor), -(-image.height // factor))
    rgb = Image.new("RGB", size, _WHITE)
    extrema = image.getextrema() if image.mode in ("I", "F") else None
    for top in range(0, image.height, BAND * factor):
        bottom = min(image.height, top + BAND * factor)
        band = _eight_bits(image.crop((0, top, image.width, bottom)), extrema)
        band = band.reduce(factor)
        mask = band.getchannel("A") if band.mode in ("RGBA", "LA") else None
        rgb.paste(band.convert("RGB"), (0, top // factor), mask)
    return rgb


def _eight_bits(image: Image.Image, extrema: object) -> Image.Image:
    """The same picture in a mode of eight bits a channel, transparency kept.

    16-bit grey keeps its scale; 32-bit integers and floats, which have none, are stretched from
    their `extrema`.
    """
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if isinstance(extrema, tuple):
        low, high = extrema
        values = np.nan_to_num(np.asarray(image, np.float32))
        scaled = (values - low) * (255 / (high - low) if high > low else 0)
        return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if image.mode in ("PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "P":
        return image.convert("RGB")
    if image.mode == "1":
        return image.convert("L")
    return image
