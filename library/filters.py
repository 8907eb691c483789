"""Filters: what a search is narrowed to, whatever words it was asked in. `matching.py` finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

from library.formats import RAW

Kind = Literal["camera", "type", "name", "folder"]

_RAW = tuple(sorted(extension[1:].decode().upper() for extension in RAW.extensions))

TYPES: dict[str, tuple[str, ...]] = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "gif": ("GIF",),
    "webp": ("WEBP",),
    "heic": ("HEIF",),
    "avif": ("AVIF",),
    "jxl": ("JXL",),
    "tiff": ("TIFF",),
    "bmp": ("BMP", "DIB"),
    "raw": _RAW,
    "video": ("MP4", "MOV", "WEBM", "MATROSKA"),
    **{name.lower(): (name,) for name in _RAW},
    "mp4": ("MP4",),
    "mov": ("MOV",),
    "webm": ("WEBM",),
    "mkv": ("MATROSKA",),
}
"""What people call the types of pictures, and the recorded formats that each stands for."""

TYPE_ALIASES = {"jpg": "jpeg", "heif": "heic", "tif": "tiff", "videos": "video", "m4v": "mp4"}


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that a picture must have, or must not have.

    Of `camera` the text is a part of its name, of `name` a part of a file's path, of `folder` a
    part of the path of the folder that a file lies in, in any case; of `type` it is a key of TYPES.
    """

    kind: Kind
    text: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Near:
    """A place, in degrees (north and east positive), and the distance from it in km."""

    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What every picture found must fulfil. False when that is nothing.

    A picture was taken when it says it was, else when the oldest of its present files was changed.
    It has a trait of name or folder when one of its present files has it. Of several types one is
    enough, of everything else all have to be fulfilled.
    """

    after: date | None = None
    """The first day."""
    before: date | None = None
    """The day after the last."""
    least: int | None = None
    """Pixels, width times height."""
    most: int | None = None
    near: Near | None = None
    traits: tuple[Trait, ...] = ()

    def __bool__(self) -> bool:
        return self != NO_FILTERS

    def narrowed(self, other: Filters) -> Filters:
        """What fulfils both; of two places the other's counts."""
        return Filters(
            _both(max, self.after, other.after),
            _both(min, self.before, other.before),
            _both(max, self.least, other.least),
            _both(min, self.most, other.most),
            other.near or self.near,
            tuple(dict.fromkeys(self.traits + other.traits)),
        )


NO_FILTERS = Filters()

_T = TypeVar("_T", date, int)


def _both(stricter: Callable[[_T, _T], _T], one: _T | None, other: _T | None) -> _T | None:
    if one is None or other is None:
        return other if one is None else one
    return stricter(one, other)
