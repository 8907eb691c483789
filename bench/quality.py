"""What drafted decoding does to a vector: each photo's beside the vector of its full decode."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from bench.corpora import PHOTOS, twelve_megapixel_photos
from bench.encoder import vit_b_32
from bench.table import table
from library import memory, photos
from mlx_clip import Encoder, load_encoder

# Each of these takes a decode in full and, but for the first, an encode of 12 megapixels.
_OF_EACH_KIND = 20

Maker = Callable[[Image.Image], bytes]


def quality_section(work: Path) -> str:
    """Encode photos from a drafted and from a full decode."""
    encoders = [load_encoder("starter")]
    encoders.append(load_encoder(str(vit_b_32(work)), precision="float32", cache=work / "cache"))
    paths = sorted(twelve_megapixel_photos(work / "photos", PHOTOS).iterdir())
    rows = []
    for encoder in encoders:
        rows.append(_row(encoder, "as telephones write them", (p.read_bytes() for p in paths)))
        for name, make in _KINDS.items():
            rows.append(_row(encoder, name, _made(paths[:_OF_EACH_KIND], make)))
    return (
        "## Quality\n\n"
        "The cosine between a photo's vector as the crawl makes it, from a decode at a half, a\n"
        "quarter or an eighth of the size, and its vector from a full decode. Generated JPEGs of\n"
        "12 megapixels; ViT-B/32 has random weights.\n\n"
        f"{table(('model', 'JPEGs', 'photos', 'mean', 'lowest'), rows)}\n"
    )


def _row(encoder: Encoder, name: str, files: Iterator[bytes]) -> list[str]:
    cosines = [_cosine(encoder, file) for file in files]
    mean, lowest = statistics.mean(cosines), min(cosines)
    model = "starter" if encoder.name.startswith("starter") else "ViT-B/32"
    return [model, name, str(len(cosines)), f"{mean:.5f}", f"{lowest:.5f}"]


def _cosine(encoder: Encoder, file: bytes) -> float:
    least = max(2 * encoder.image_size, photos.THUMBNAIL_SIZE)
    header = photos.read_header(io.BytesIO(file), least, memory.MOST_MEGAPIXELS)
    drafted = encoder.preprocess(photos.decode(header, least, len(file)).image)
    with Image.open(io.BytesIO(file)) as opened:
        full = encoder.preprocess(ImageOps.exif_transpose(opened).convert("RGB"))
    one, two = encoder.encode_images(np.stack([drafted, full]))
    return float(np.dot(one, two))


def _made(paths: list[Path], make: Maker) -> Iterator[bytes]:
    for path in paths:
        with Image.open(path) as opened:
            yield make(opened.convert("RGB"))


def _saved(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def _turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return _saved(image, exif=exif)


_KINDS: dict[str, Maker] = {
    "turned by EXIF": _turned,
    "progressive": lambda image: _saved(image, progressive=True),
    "full colour resolution": lambda image: _saved(image, subsampling=0),
    "CMYK": lambda image: _saved(image.convert("CMYK")),
    "grey": lambda image: _saved(image.convert("L")),
}
