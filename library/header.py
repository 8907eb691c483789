"""Header and Loaded: what each kind of file gives `photos.py`, before and after its decode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from library.exif import Taken


@dataclass(frozen=True, slots=True)
class Loaded:
    """A picture as its decoder gives it, neither reduced to what is needed nor turned."""

    image: Image.Image
    """Of any mode; perhaps decoded at a part of its size."""
    orientation: int
    """What makes `image` upright, as EXIF numbers it: 1 for nothing."""
    width: int
    height: int
    """Of the whole picture, upright, whatever size `image` has."""
    format: str
    frames: int
    taken: Taken


class Header(Protocol):
    """A picture whose header was read, and no pixel yet. Each kind of file has one of its own."""

    @property
    def width(self) -> int:
        """Pixels, as stored: before the orientation is applied."""

    @property
    def height(self) -> int:
        """Pixels, as stored."""

    @property
    def megapixels(self) -> float:
        """What loading it holds in memory at most, in millions of decoded pixels."""

    def load(self) -> Loaded:
        """Decode it, once. Whatever it raises is the picture's fault."""
