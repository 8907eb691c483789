"""Files as a bad disk or a cut connection leaves them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from mlx_clip.errors import WeightsError


def cuts(path: Path) -> Iterator[int]:
    """Cut a file off by one byte more at every step, down to nothing; its lengths."""
    with path.open("r+b") as file:
        for length in reversed(range(path.stat().st_size)):
            file.truncate(length)
            yield length


def flips(path: Path, count: int, read: Callable[[Path], object]) -> list[bool]:
    """Whether `read` still reads the file with some bytes flipped, `count` times over."""
    content, dice, read_well = path.read_bytes(), random.Random(count), []
    with path.open("r+b", buffering=0) as file:
        for _ in range(count):
            flipped = bytearray(content)
            for _ in range(dice.choice((1, 1, 3))):
                flipped[dice.randrange(len(flipped))] = dice.randrange(256)
            file.seek(0)
            file.write(flipped)
            try:
                read(path)
                read_well.append(True)
            except WeightsError:
                read_well.append(False)
    return read_well
