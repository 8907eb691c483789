"""What a thumbnail costs as JPEG, WebP and AVIF: time to write, bytes, likeness, time to read."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.corpora import PHOTOS, twelve_megapixel_photos
from bench.measure import ROOT
from bench.table import table
from library import photos

_LARGE = 20
_WINDOW = 7
_HEAD = ("codec", "to write", "bytes", "PSNR", "SSIM", "lowest SSIM", "to read")


@dataclass(frozen=True, slots=True)
class _Codec:
    """A format as Pillow calls it, and what `save` is told."""

    format: str
    options: dict[str, int | bool]

    @property
    def name(self) -> str:
        said = (
            name if value is True else f"{name} {value}" for name, value in self.options.items()
        )
        return " ".join((self.format, *said))


def _jpeg(quality: int, **options: int | bool) -> _Codec:
    return _Codec("JPEG", {"quality": quality, **options})


def _webp(quality: int, method: int) -> _Codec:
    return _Codec("WEBP", {"quality": quality, "method": method})


_CODECS = (
    *(_jpeg(quality) for quality in (75, 78, 80, 82, 85, 88)),
    *(_jpeg(quality, optimize=True) for quality in (78, 82, 85)),
    *(_jpeg(quality, optimize=True, progressive=True) for quality in (78, 82)),
    *(_jpeg(quality, subsampling=0) for quality in (75, 82)),
    *(_webp(quality, method) for method in (0, 2, 4) for quality in (70, 78, 85)),
    *(_Codec("AVIF", {"quality": quality, "speed": 9}) for quality in (60, 70)),
)


def thumbnails_section(work: Path) -> str:
    """Write every thumbnail with every codec, on one thread."""
    pictures = list(_pictures(work))
    now = f"JPEG of quality {photos.THUMBNAIL_QUALITY}"
    return (
        "## Thumbnails\n\n"
        f"{len(pictures)} pictures of {photos.THUMBNAIL_SIZE} px on the long side (sample\n"
        "photographs and drafted decodes of 12-megapixel JPEGs), each written and read by Pillow\n"
        "on one thread. Medians of processor time; means of bytes, PSNR and SSIM (luma, windows\n"
        f"of {_WINDOW} x {_WINDOW}). Kindred writes {now}.\n\n"
        f"{table(_HEAD, [_row(codec, pictures) for codec in _CODECS])}\n"
    )


def _pictures(work: Path) -> list[Image.Image]:
    """Thumbnails that no codec has seen yet, each cut by its long side as the crawl does."""
    samples = sorted((ROOT / "samples").glob("*/*.jpg"))
    large = sorted(twelve_megapixel_photos(work / "photos", PHOTOS).iterdir())[:_LARGE]
    found = []
    for path in (*samples, *large):
        with path.open("rb") as stream:
            header = photos.read_header(stream, photos.THUMBNAIL_SIZE, 1000)
            photo = photos.decode(header, photos.THUMBNAIL_SIZE, 0)
        found.append(photos.thumbnail_pixels(photo, photos.THUMBNAIL_SIZE))
    return found


def _row(codec: _Codec, pictures: Sequence[Image.Image]) -> list[str]:
    writing, reading, sizes, psnrs, ssims = [], [], [], [], []
    for picture in pictures:
        out = io.BytesIO()
        started = time.process_time()
        picture.save(out, codec.format, **codec.options)
        written = time.process_time()
        with Image.open(io.BytesIO(out.getvalue())) as opened:
            opened.load()
            read = time.process_time()
            psnr, ssim = _likeness(picture, opened.convert("RGB"))
        writing.append(written - started)
        reading.append(read - written)
        sizes.append(len(out.getvalue()))
        psnrs.append(psnr)
        ssims.append(ssim)
    return [
        codec.name,
        f"{1000 * statistics.median(writing):.1f} ms",
        f"{statistics.mean(sizes):,.0f}",
        f"{statistics.mean(psnrs):.2f} dB",
        f"{statistics.mean(ssims):.4f}",
        f"{min(ssims):.4f}",
        f"{1000 * statistics.median(reading):.1f} ms",
    ]


def _likeness(left: Image.Image, right: Image.Image) -> tuple[float, float]:
    """PSNR over RGB in decibels, and SSIM of the luma (Wang et al., 2004; flat windows)."""
    error = np.mean((np.asarray(left, np.float64) - np.asarray(right, np.float64)) ** 2)
    psnr = 10 * np.log10(255**2 / max(float(error), 1e-9))
    one, two = (np.asarray(image.convert("L"), np.float64) for image in (left, right))
    mean_one, mean_two = _windows(one), _windows(two)
    variance_one = _windows(one * one) - mean_one**2
    variance_two = _windows(two * two) - mean_two**2
    covariance = _windows(one * two) - mean_one * mean_two
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim = ((2 * mean_one * mean_two + c1) * (2 * covariance + c2)) / (
        (mean_one**2 + mean_two**2 + c1) * (variance_one + variance_two + c2)
    )
    return float(psnr), float(ssim.mean())


def _windows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of every window."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    n = _WINDOW
    means: NDArray[np.float64] = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]
    return means / n**2
