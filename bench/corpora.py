"""The pictures that are measured with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.measure import ROOT

PHOTOS = 300
"""How many 12-megapixel photographs are measured with."""

OPENCLIPART = Path("/usr/share/openclipart/png")
_SIZE = (4000, 3000)


def openclipart() -> Path | None:
    """The drawings of Debian's package openclipart-png, or None where it is not installed."""
    return OPENCLIPART if OPENCLIPART.is_dir() else None


def twelve_megapixel_photos(folder: Path, count: int) -> Path:
    """A folder of JPEGs of 4000 x 3000 pixels, each different: made once, from samples/.

    The sample photographs, enlarged, each cut and lit differently, with the grain of a small
    sensor: about 4 MB a file, as telephones write them.
    """
    if folder.is_dir() and len(list(folder.iterdir())) == count:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, image in zip(range(count), _photos(_SIZE), strict=False):
        image.save(folder / f"IMG_{number:04}.jpg", quality=90)
    return folder


def small_photos(folder: Path, count: int) -> Path:
    """A folder of `count` JPEGs of 400 x 300 pixels, cut from the same photographs."""
    if folder.is_dir() and len(list(folder.iterdir())) == count:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, image in zip(range(count), _photos((400, 300)), strict=False):
        image.save(folder / f"{number:05}.jpg", quality=85)
    return folder


def tiny_pictures(folder: Path, count: int) -> Path:
    """A folder of `count` JPEGs of 64 x 48 pixels, each different, a thousand to a subfolder."""
    if folder.is_dir() and sum(1 for _ in folder.glob("*/*.jpg")) == count:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 1000:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        patches = Image.fromarray(rng.integers(0, 256, (3, 4, 3), np.uint8))
        patches.resize((64, 48)).save(path, quality=80)
    return folder


def _photos(size: tuple[int, int]) -> Iterator[Image.Image]:
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 6, (size[1], size[0], 1)).astype(np.float32)
    sources = sorted((ROOT / "samples").glob("*/*.jpg"))
    while True:
        for path in sources:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            left, top = (int(rng.integers(0, side // 8 + 1)) for side in image.size)
            image = image.crop((left, top, image.width, image.height)).resize(size)
            light = rng.uniform(0.7, 1.2)
            pixels = np.asarray(image, np.float32) * light + np.roll(grain, left * 7, axis=1)
            yield Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
