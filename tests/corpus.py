"""Bad input, as disks, cut connections and strangers make it: files, and what a crawl owes each.

A new format's maker goes into MAKERS: its files are then cut, emptied and misnamed like the rest.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - it registers itself
from PIL import ExifTags, Image

from tests import hostile, raw_files
from tests.pictures import drawing
from tests.videos import video

INDEXED = ""
DAMAGED = (
    r"^(damaged: .{5,200}|not a picture in a format that Kindred reads, or damaged|"
    r"the video has no pictures)$"
)
TOO_LARGE = (
    r"^too large: \d+ x \d+ pixels take [\d,]+ MB of memory to decode; "
    r"MAX_IMAGE_MEGAPIXELS=\d+ would read it \(now \d+\)$"
)
EMPTY = "^the file is empty$"

_SIZE = (200, 150)


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and the failure that is recorded for it: a pattern, or INDEXED for none."""

    name: str
    content: bytes
    expected: str


def saved(kind: str, image: Image.Image, **options: object) -> bytes:
    """A picture as a file of Pillow's."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


MAKERS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpg": partial(saved, "JPEG"),
    "png": partial(saved, "PNG"),
    "gif": partial(saved, "GIF"),
    "webp": partial(saved, "WEBP"),
    "bmp": partial(saved, "BMP"),
    "tif": partial(saved, "TIFF", compression="tiff_lzw"),
    "avif": partial(saved, "AVIF"),
    "heic": partial(saved, "HEIF"),
}
"""A file of each format, by extension."""
EXTRAS: dict[str, Callable[[Image.Image], bytes]] = {
    "jxl": partial(saved, "JXL"),
    "dng": raw_files.dng,
    "mp4": lambda image: video([image]),
}
"""The same, of formats that have no pictures of one pixel."""


def cases() -> Iterator[Case]:
    """The whole corpus; no two names are the same."""
    pillow_heif.register_heif_opener()
    for number, (extension, make) in enumerate({**MAKERS, **EXTRAS}.items()):
        yield from _of_a_format(number, extension, make)
    for number, (extension, make) in enumerate(MAKERS.items()):
        dot = Image.new("RGB", (1, 1), (number, 99, 199))
        yield Case(f"{extension}-dot.{extension}", make(dot), INDEXED)
    yield from _of_modes()
    yield from _broken_exif()
    for name, file in hostile.LARGE.items():
        yield Case(f"large-{name}", file(), TOO_LARGE)
    for name, file in hostile.ABSURD.items():
        yield Case(f"absurd-{name}", file(), DAMAGED)
    for name, file in hostile.ODD.items():
        yield Case(f"odd-{name}", file(), INDEXED)
    yield Case("empty.jpg", b"", EMPTY)
    yield Case("text.jpg", b"these are words\n" * 50, DAMAGED)
    yield Case("svg.png", b'<svg xmlns="http://www.w3.org/2000/svg" width="9"/>', DAMAGED)
    yield Case("page.webp", b"<!doctype html><title>404</title>" + b" " * 999, DAMAGED)
    yield Case("postscript.tif", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", DAMAGED)


def _of_a_format(
    number: int, extension: str, make: Callable[[Image.Image], bytes]
) -> Iterator[Case]:
    whole = make(drawing(number, _SIZE))
    for tenth in range(1, 10):
        yield Case(f"{extension}-{tenth}0.{extension}", whole[: len(whole) * tenth // 10], DAMAGED)
    yield Case(f"{extension}-whole.{extension}", whole, INDEXED)
    yield Case(f"{extension}-zeros.{extension}", bytes(len(whole)), DAMAGED)
    holed = whole[: len(whole) // 2] + bytes(len(whole) // 4) + whole[len(whole) * 3 // 4 :]
    yield Case(f"{extension}-holed.{extension}", holed, f"{INDEXED}|{DAMAGED}")
    wrong = "png" if extension == "jpg" else "jpg"
    yield Case(f"{extension}-is-no.{wrong}", make(drawing(100 + number, _SIZE)), INDEXED)


def _of_modes() -> Iterator[Case]:
    """Sound files of the kinds that programs stumble over."""
    grey = np.linspace(0, 65535, 200 * 150).reshape(150, 200)
    second = [drawing(201, _SIZE)]
    palette = drawing(202, _SIZE).convert("P", palette=Image.Palette.ADAPTIVE)
    cmyk = drawing(203, _SIZE).convert("CMYK")
    sound = {
        "cmyk.jpg": saved("JPEG", cmyk),
        "cmyk.tif": saved("TIFF", cmyk),
        "progressive.jpg": saved("JPEG", drawing(204, _SIZE), progressive=True),
        "grey16.png": saved("PNG", Image.fromarray(grey.astype(np.uint16))),
        "grey16.tif": saved("TIFF", Image.fromarray(grey.astype(np.uint16))),
        "float.tif": saved("TIFF", Image.fromarray(grey.astype(np.float32))),
        "palette.png": saved("PNG", palette, transparency=palette.getpixel((0, 0))),
        "bits.png": saved("PNG", drawing(205, _SIZE).convert("1")),
        "animated.gif": saved("GIF", drawing(206, _SIZE), save_all=True, append_images=second),
        "animated.webp": saved("WEBP", drawing(207, _SIZE), save_all=True, append_images=second),
        "animated.png": saved("PNG", drawing(208, _SIZE), save_all=True, append_images=second),
        "animated.avif": saved("AVIF", drawing(209, _SIZE), save_all=True, append_images=second),
        "pages.tif": saved("TIFF", drawing(210, _SIZE), save_all=True, append_images=second),
        "thin.png": saved("PNG", Image.new("RGB", (9000, 1), (9, 8, 7))),
    }
    for name, content in sound.items():
        yield Case(f"sound-{name}", content, INDEXED)


def _broken_exif() -> Iterator[Case]:
    good = Image.Exif()
    good[ExifTags.Base.Model] = "a camera"
    good[ExifTags.Base.Orientation] = 6
    whole = good.tobytes()
    broken = {
        "ff": b"Exif\0\0II*\0" + b"\xff" * 300,
        "short": whole[: len(whole) - 12],
        "words": whole.replace(b"a camera", b"\0\xff\x1b[31m\n"),
        "orientation": whole.replace(b"\0\x06\0\0", b"\xff\xff\0\0"),
    }
    for number, (name, exif) in enumerate(broken.items()):
        picture = drawing(300 + number, _SIZE)
        for kind in ("JPEG", "WEBP", "PNG", "AVIF"):
            yield Case(f"exif-{name}.{kind.lower()}", saved(kind, picture, exif=exif), INDEXED)
