"""Near duplicates: how many of changed pictures are found, what is taken for one, how long."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from bench.corpora import OPENCLIPART
from bench.measure import ROOT
from bench.table import table
from library import memory, photos
from library.duplicates import Present
from library.models import Metadata
from library.vectors import Vectors
from mlx_clip import Encoder, load_encoder
from search.duplicates import line_of
from search.hamming import Hashes, distance
from search.near import Near, NearDuplicates

_OF_EACH = 100
_PICTURES = 200_000
_DIM = 512
_WHITE = 20_000

Change = Callable[[Image.Image], Image.Image]


def duplicates_section() -> str:
    """Change the samples, and drawings where there are any; time a large library."""
    encoder = load_encoder("starter")
    head = ("pictures", "changed", "bits, median", "cosine, lowest 5%", "found", "wrongly")
    rows = [row for name, paths in _corpora().items() for row in _rows(encoder, name, paths)]
    return (
        "## Duplicates\n\n"
        "Pictures and a changed copy of each, as JPEGs: in how many bits of the perceptual hash\n"
        "the two differ, how alike the model finds them, how many of the copies are found to be\n"
        "duplicates of their picture, and how many pictures are grouped with another one.\n\n"
        f"{table(head, rows)}\n\n"
        f"Finding the groups among {_PICTURES:,} pictures whose vectors of {_DIM} dimensions are\n"
        "in memory:\n\n"
        f"{table(('library', 'groups', 'largest', 'seconds'), _timed())}\n"
    )


def _corpora() -> dict[str, list[Path]]:
    corpora = {"samples, photographs": sorted((ROOT / "samples").glob("*/*.jpg"))}
    if OPENCLIPART.is_dir():
        corpora["openclipart, drawings"] = sorted(OPENCLIPART.rglob("*.png"))
    return {
        name: random.Random(0).sample(paths, min(_OF_EACH, len(paths)))
        for name, paths in corpora.items()
    }


def _rows(encoder: Encoder, name: str, paths: Sequence[Path]) -> list[list[str]]:
    files = [path.read_bytes() for path in paths]
    originals = [_read(encoder, file) for file in files]
    return [
        [
            name,
            what,
            *_compared(encoder, originals, [_read(encoder, _changed(f, k)) for f in files]),
        ]
        for what, k in _KINDS.items()
    ]


_Read = tuple[Metadata, Vectors]


def _read(encoder: Encoder, file: bytes) -> _Read:
    least = max(2 * encoder.image_size, photos.THUMBNAIL_SIZE)
    header = photos.read_header(io.BytesIO(file), least, memory.MOST_MEGAPIXELS)
    photo = photos.decode(header, least, len(file))
    vector: Vectors = encoder.encode_images(encoder.preprocess(photo.image)[None])[0]
    return photo.metadata, vector


def _changed(file: bytes, kind: tuple[Change, int]) -> bytes:
    change, quality = kind
    header = photos.read_header(io.BytesIO(file), 8_000, memory.MOST_MEGAPIXELS)
    out = io.BytesIO()
    change(photos.decode(header, 8_000, len(file)).image).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _compared(
    encoder: Encoder, originals: Sequence[_Read], copies: Sequence[_Read]
) -> tuple[str, ...]:
    count = len(originals)
    both = [*originals, *copies]
    vectors = np.stack([vector for _, vector in both])
    pictures = _present(
        np.array([metadata.perceptual_hash for metadata, _ in both]).astype(np.uint64),
        np.array([np.log(metadata.width / metadata.height) for metadata, _ in both]),
    )
    bits = distance(pictures.hashes[:count], pictures.hashes[count:])
    cosines = np.einsum("ij,ij->i", vectors[:count], vectors[count:])
    groups = _groups(pictures, vectors, line_of(encoder.space))
    found = sum(place + count in group.places for group in groups for place in group.places)
    wrongly = sum(len({place % count for place in group.places}) - 1 for group in groups)
    return (
        f"{np.median(bits):.0f}",
        f"{np.percentile(cosines, 5):.3f}",
        f"{found} of {count}",
        str(wrongly),
    )


def _timed() -> list[list[str]]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(500, _DIM)).astype(np.float32)
    vectors = centres[rng.integers(0, 500, _PICTURES)]
    vectors += rng.normal(0, 0.9, vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = rng.integers(0, 2**64, _PICTURES, dtype=np.uint64)
    twentieth = _PICTURES // 20
    hashes[-twentieth:] = hashes[:twentieth] ^ np.uint64(0b1001)
    vectors[-twentieth:] = vectors[:twentieth]
    rows = [_time("a tenth of it in pairs", hashes, vectors)]
    white = slice(twentieth, twentieth + _WHITE)
    hashes[white], vectors[white] = 0, vectors[0]
    return [*rows, _time(f"{_WHITE:,} plain white pictures in it", hashes, vectors)]


def _time(name: str, hashes: Hashes, vectors: Vectors) -> list[str]:
    started = time.perf_counter()
    groups = _groups(_present(hashes, np.zeros(len(hashes))), vectors, 0.9)
    seconds = time.perf_counter() - started
    largest = max(len(group.places) for group in groups)
    return [name, f"{len(groups):,}", f"{largest:,}", f"{seconds:.1f}"]


def _present(hashes: Hashes, shapes: NDArray[np.float64]) -> Present:
    ones = np.ones(len(hashes), np.int64)
    return Present(np.arange(len(hashes)), hashes, ones > 0, shapes, ones, ones)


def _groups(pictures: Present, vectors: Vectors, line: float) -> list[Near]:
    def rows(ids: Sequence[int]) -> Vectors:
        asked: Vectors = vectors[np.array(ids)]
        return asked

    return list(NearDuplicates(pictures, rows, line).groups())


def _half(image: Image.Image) -> Image.Image:
    return image.resize((max(1, image.width // 2), max(1, image.height // 2)))


def _cut(image: Image.Image) -> Image.Image:
    x, y = round(image.width / 100), round(image.height / 100)
    return image.crop((x, y, image.width - x, image.height - y))


def _coloured(image: Image.Image) -> Image.Image:
    image = ImageEnhance.Brightness(ImageEnhance.Color(image).enhance(1.2)).enhance(1.08)
    return ImageEnhance.Contrast(image).enhance(1.1)


def _captioned(image: Image.Image) -> Image.Image:
    bar = max(8, image.height // 8)
    out = Image.new("RGB", (image.width, image.height + bar))
    out.paste(image)
    text = ImageDraw.Draw(out)
    text.text((image.width // 10, image.height + bar // 4), "when you see it", font_size=bar // 2)
    return out


_KINDS: dict[str, tuple[Change, int]] = {
    "half the size": (_half, 92),
    "recompressed at quality 40": (lambda image: image, 40),
    "cropped by 2%": (_cut, 92),
    "colours corrected": (_coloured, 92),
    "with a caption bar": (_captioned, 92),
}
