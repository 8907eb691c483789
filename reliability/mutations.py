"""Mutated pictures: the same for the same seed and number, of every format that is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pillow_heif
from PIL import Image

from tests import corpus
from tests.corpus import saved
from tests.pictures import drawing

_SIZE = (200, 150)
_DRAWINGS = 3
# What lengths, counts and offsets are wrong with.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEADER = 600
# Most with one: what is broken in many places fails at the first.
_CHANGES_EACH = (1, 1, 1, 2, 3, 6)


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """The format (an extension) and the content of a file."""
    rng = random.Random(f"{seed}:{number}")
    kinds = sorted(_sound())
    kind = kinds[number % len(kinds)]
    content = bytearray(rng.choice(_sound()[kind]))
    for _ in range(rng.choice(_CHANGES_EACH)):
        rng.choice(_CHANGES)(rng, content)
    return kind, bytes(content)


@cache
def _sound() -> dict[str, list[bytes]]:
    """Sound files of each format."""
    pillow_heif.register_heif_opener()
    drawn = [drawing(number, _SIZE) for number in range(_DRAWINGS)]
    makers = {**corpus.MAKERS, **corpus.EXTRAS}
    found = {kind: [make(image) for image in drawn] for kind, make in makers.items()}
    for name, content in _kinds(drawn[0], drawn[1]).items():
        found[name.split(" ")[0]].append(content)
    return found


def _kinds(picture: Image.Image, second: Image.Image) -> dict[str, bytes]:
    """Other ways that formats are written in."""
    clear = picture.convert("RGBA")
    clear.putalpha(picture.getchannel(0))
    exif = Image.Exif()
    exif.update({271: "a maker", 272: "a camera", 274: 6, 306: "2020:01:02 03:04:05"})
    several = {"save_all": True, "append_images": [second]}
    return {
        "jpg progressive": saved("JPEG", picture, progressive=True, exif=exif),
        "jpg cmyk": saved("JPEG", picture.convert("CMYK")),
        "png palette": saved("PNG", picture.quantize(16), transparency=3),
        "png animated": saved("PNG", clear, **several),
        "webp lossless": saved("WEBP", clear, lossless=True, exif=exif),
        "webp animated": saved("WEBP", picture, **several),
        "gif animated": saved("GIF", picture, **several),
        "tif deflate": saved("TIFF", picture, compression="tiff_adobe_deflate"),
        "tif jpeg": saved("TIFF", picture, compression="jpeg"),
        "tif pages": saved("TIFF", picture, **several),
        "avif clear": saved("AVIF", clear, exif=exif),
    }


def _flip(rng: random.Random, content: bytearray) -> None:
    if content:
        content[_place(rng, content)] ^= 1 << rng.randrange(8)


def _number(rng: random.Random, content: bytearray) -> None:
    width = rng.choice((1, 2, 4))
    value = rng.choice(_NUMBERS) & (256**width - 1)
    start = _place(rng, content)
    content[start : start + width] = value.to_bytes(width, rng.choice(("little", "big")))


def _noise(rng: random.Random, content: bytearray) -> None:
    start = _place(rng, content)
    length = rng.randint(1, 16)
    content[start : start + length] = rng.randbytes(length)


def _cut(rng: random.Random, content: bytearray) -> None:
    if rng.random() < 0.3:
        del content[_place(rng, content) :]


def _remove(rng: random.Random, content: bytearray) -> None:
    start = _place(rng, content)
    del content[start : start + rng.randint(1, 200)]


def _repeat(rng: random.Random, content: bytearray) -> None:
    start = _place(rng, content)
    content[start:start] = content[start : start + rng.randint(1, 200)] * rng.randint(1, 20)


def _zeros(rng: random.Random, content: bytearray) -> None:
    start = _place(rng, content)
    length = rng.randint(1, 200)
    content[start : start + length] = bytes(length)


_CHANGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _flip,
    _number,
    _number,
    _number,
    _noise,
    _cut,
    _remove,
    _repeat,
    _zeros,
)


def _place(rng: random.Random, content: bytearray) -> int:
    """A place in it; as often as not in the header, where what matters lies."""
    if not content:
        return 0
    return rng.randrange(min(_HEADER, len(content)) if rng.random() < 0.5 else len(content))
