"""Pictures that the tests draw: small, each different, always the same."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw


def drawing(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Coloured ellipses and boxes on a coloured ground; another picture for every seed."""
    rng = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return rng.randrange(256), rng.randrange(256), rng.randrange(256)

    image = Image.new("RGB", size, colour())
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        box = (x, y, x + rng.randrange(10, 90), y + rng.randrange(10, 90))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=colour())
    return image


def fill(
    folder: Path, count: int, first_seed: int = 0, size: tuple[int, int] = (160, 120)
) -> list[Path]:
    """Write `count` JPEGs, 0000.jpg and on, into a folder that is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        drawing(first_seed + number, size).save(path, quality=90)
    return paths
