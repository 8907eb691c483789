"""Open a picture once: upright RGB pixels, metadata and thumbnail from one decode (Pillow).

JPEGs are decoded at 1/2, 1/4 or 1/8 of their size where that is enough (libjpeg's scaled DCT,
`Image.draft`), other formats are reduced straight after the decode, so that no later step ever
handles the full size.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from library.errors import PhotoError, PhotoTooLargeError
from library.models import Metadata

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "HEIF")
"""What is opened, by Pillow's names. A file's bytes decide, never its extension."""

THUMBNAIL_SIZE = 512
THUMBNAIL_TYPE = "image/jpeg"
_THUMBNAIL_QUALITY = 82
_LARGEST_PROFILE = 4096
_LONGEST_TEXT = 200
_WHITE = (255, 255, 255)
_BAND = 64  # rows of the reduced picture
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
class Header:
    """A picture whose header was read, and no pixel yet."""

    image: Image.Image
    width: int
    height: int
    """As stored: before the orientation is applied."""

    @property
    def megapixels(self) -> float:
        """What decoding it will hold in memory, in millions of pixels."""
        return self.image.width * self.image.height / 1e6


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded picture: upright RGB on white, both sides at least `least` where they were."""

    image: Image.Image
    metadata: Metadata
    profile: bytes | None
    """The ICC profile that `image` is in, when it is worth keeping."""


def read_header(stream: BinaryIO, least: int, max_megapixels: int) -> Header:
    """Open a picture and choose how small it may be decoded; both sides stay above `least` px.

    Raises PhotoError when it is no picture in one of FORMATS, PhotoTooLargeError when its decode
    would hold more than `max_megapixels`.
    """
    _prepare_pillow()
    with _decoding():
        image = Image.open(stream, formats=FORMATS)
        width, height = image.size
        image.draft("RGB", (least, least))
    header = Header(image, width, height)
    if header.megapixels > max_megapixels:
        raise PhotoTooLargeError(
            f"too large: {width} x {height} pixels decode to {header.megapixels:.0f} megapixels; "
            f"raise MAX_IMAGE_MEGAPIXELS (now {max_megapixels}) to read it"
        )
    return header


def decode(header: Header, least: int, byte_size: int) -> Photo:
    """Decode the pixels. Raises PhotoError, saying why, when the picture is damaged."""
    image = header.image
    with _decoding():
        frames = getattr(image, "n_frames", 1)  # before the load: counting moves in the file
        image.load()
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)  # 1 where the plugin turned it
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
        pixels = _upright_rgb(image, orientation, least)
        colour = pixels.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(colour, tuple)
    width, height = header.width, header.height
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    taken_at, camera, latitude, longitude = _read_exif(exif)
    return Photo(
        pixels,
        Metadata(
            width=width,
            height=height,
            format="JPEG" if image.format == "MPO" else image.format or "",
            frames=frames,
            byte_size=byte_size,
            colour="#{:02x}{:02x}{:02x}".format(*colour),
            taken_at=taken_at,
            camera=camera,
            latitude=latitude,
            longitude=longitude,
        ),
        profile if profile and len(profile) <= _LARGEST_PROFILE else None,
    )


def thumbnail(photo: Photo, size: int = THUMBNAIL_SIZE) -> bytes:
    """A JPEG of the picture, at most `size` pixels on its long side, never enlarged."""
    image = photo.image
    scale = min(1.0, size / max(image.size))
    target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if target != image.size:
        image = image.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_THUMBNAIL_QUALITY, icc_profile=photo.profile)
    return out.getvalue()


@cache
def _prepare_pillow() -> None:
    Image.init()  # Image.open(formats=...) knows only what was registered
    pillow_heif.register_heif_opener()
    # Damaged EXIF and the like: of no use to anybody in the middle of a crawl's progress.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # Our own limit is on what is decoded, not on what the header says: see read_header.
    Image.MAX_IMAGE_PIXELS = None


@contextmanager
def _decoding() -> Iterator[None]:
    """Whatever goes wrong in here is the picture's fault, and is said in one sentence.

    Pillow and its plugins raise some twenty types on damaged files (struct.error, zlib.error,
    TypeError, IndexError, ...) and document none, so this boundary catches them all.
    """
    try:
        yield
    except UnidentifiedImageError as error:
        raise PhotoError("not a picture in a format that Kindred reads, or damaged") from error
    except Exception as error:
        raise PhotoError(f"damaged: {error or type(error).__name__}") from error


def _upright_rgb(image: Image.Image, orientation: int, least: int) -> Image.Image:
    """Reduce by a whole factor, composite on white, orient.

    By bands, so that the only thing of the picture's full size is its decode: converting a
    transparent picture as a whole would hold three more of it.
    """
    factor = max(1, min(image.size) // max(1, least))
    size = (-(-image.width // factor), -(-image.height // factor))
    rgb = Image.new("RGB", size, _WHITE)
    extrema = image.getextrema() if image.mode in ("I", "F") else None
    for top in range(0, image.height, _BAND * factor):
        bottom = min(image.height, top + _BAND * factor)
        band = _eight_bits(image.crop((0, top, image.width, bottom)), extrema)
        band = band.reduce(factor)
        mask = band.getchannel("A") if band.mode in ("RGBA", "LA") else None
        rgb.paste(band.convert("RGB"), (0, top // factor), mask)
    turn = _TURNS.get(orientation)
    return rgb if turn is None else rgb.transpose(turn)


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


def _read_exif(
    exif: Image.Exif,
) -> tuple[str | None, str | None, float | None, float | None]:
    """Date, camera, latitude and longitude; damaged EXIF is no reason to lose a picture."""
    try:
        details = exif.get_ifd(ExifTags.IFD.Exif)
        taken = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        make, model = (_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # as undocumented as the decoders' errors: see _decoding
        return None, None, None, None
    # "NIKON CORPORATION" and "NIKON D2X", "Canon" and "Canon EOS R5": most makers say it twice.
    if make and model.lower().startswith(make.lower().split()[0]):
        make = ""
    camera = " ".join(part for part in (make, model) if part)
    latitude = _degrees(gps.get(2), gps.get(1), "S", 90)
    longitude = _degrees(gps.get(4), gps.get(3), "W", 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    return _iso_time(_text(taken)), camera or None, latitude, longitude


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    words = " ".join(value.replace("\0", " ").split())
    return "".join(letter for letter in words if letter.isprintable())[:_LONGEST_TEXT]


def _iso_time(text: str) -> str | None:
    """EXIF's "2019:07:31 18:02:11" as ISO 8601, or None when it is no date."""
    digits = "".join(letter for letter in text[:19] if letter.isdigit())
    if len(digits) != 14 or not (digits[:4] >= "0001" and "01" <= digits[4:6] <= "12"):
        return None
    year, rest = digits[:4], [digits[i : i + 2] for i in range(4, 14, 2)]
    month, day, hour, minute, second = rest
    if not ("01" <= day <= "31" and hour < "24" and minute < "60" and second < "61"):
        return None
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


def _degrees(parts: object, reference: object, negative: str, limit: float) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = map(float, parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not (math.isfinite(value) and 0 <= value <= limit):
        return None
    return -value if _text(reference).upper().startswith(negative) else value
