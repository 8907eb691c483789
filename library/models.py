"""The frozen records that cross from one room to another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Source = Literal["index", "exact"]
"""Where a ranking came from: the ChromaDB index, or the exact scan over SQLite's vectors."""

IndexState = Literal["current", "behind", "checking", "rebuilding", "busy", "unreachable", "closed"]


def display_path(path: bytes) -> str:
    """A path as text that every page and JSON answer can carry.

    Paths are bytes on disk and may not be valid UTF-8; what cannot be decoded shows as U+FFFD.
    """
    return os.fsencode(path).decode("utf-8", "replace")


FileEntry = tuple[bytes, int, int]
"""A picture file as the scan saw it: path, size in bytes, mtime in nanoseconds.

A bare tuple, because a scan makes one for every file there is.
"""


@dataclass(frozen=True, slots=True)
class Work:
    """A file that has to be read: new, changed, to be checked, or without a vector in the space."""

    file_id: int
    path: bytes
    size: int
    mtime_ns: int
    image_id: int | None = None
    """The picture that it should hold, when that is what has to be checked."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a picture says of itself. Width and height in pixels, with the orientation applied."""

    width: int
    height: int
    format: str
    """The format the bytes are in: JPEG, PNG, HEIF, ... (Pillow's names), CR2, DNG, MP4, ..."""
    frames: int
    """More than one in an animation or a video, where it says how many."""
    byte_size: int
    colour: str
    """Mean colour as #rrggbb."""
    taken_at: str | None = None
    """Local time, ISO 8601 without a zone."""
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Degrees, north and east positive."""
    perceptual_hash: int | None = None
    """See perceptual_hash.py; None for a picture that was crawled before there was one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (a content) as lists show it, with one of its present files."""

    id: int
    width: int
    height: int
    colour: str
    format: str
    path: bytes
    """One of its files: the first that is present, else the first that ever was."""

    @property
    def name(self) -> str:
        """The file's base name, fit to be shown."""
        return display_path(os.path.basename(self.path))


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One of a picture's files. `missing_since` is Unix time, or None while it is present."""

    id: int
    folder_id: int
    path: bytes
    size: int
    mtime_ns: int
    missing_since: float | None

    @property
    def name(self) -> str:
        """The base name, fit to be shown."""
        return display_path(os.path.basename(self.path))

    @property
    def folder(self) -> str:
        """The folder it lies in, fit to be shown."""
        return display_path(os.path.dirname(self.path))


@dataclass(frozen=True, slots=True)
class PictureDetails:
    """Everything known of one picture: metadata and all its files, present ones first."""

    id: int
    content_hash: bytes
    metadata: Metadata
    files: tuple[PictureFile, ...]

    @property
    def missing(self) -> bool:
        """True when none of its files was there at the last crawl."""
        return all(file.missing_since is not None for file in self.files)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that holds pictures, and how many."""

    id: int
    path: bytes
    pictures: int

    @property
    def name(self) -> str:
        """The last part of its path, fit to be shown."""
        return display_path(os.path.basename(self.path)) or display_path(self.path)


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture and its cosine similarity to the query (-1 to 1, as the model gives it).

    None where nothing was asked that a picture could be near to.
    """

    picture: Picture
    score: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a ranked list: behind this hit. Lists fall by score, then rise by picture id."""

    score: float
    image_id: int


@dataclass(frozen=True, slots=True)
class Results:
    """One page of a ranked list. `total` is the length of the whole list."""

    hits: tuple[Hit, ...]
    total: int
    source: Source
    seconds: float
    end: Place | None = None
    """Where the next page goes on; None at the list's end."""
    line: float | None = None
    """The score from which on a hit is no weak one; None where that cannot be said."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read, and why."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a crawl is. `rate` in items a second; `seconds_left` None while unknown."""

    stage: Literal["scan", "read", "index"]
    done: int
    total: int | None
    failed: int
    bytes: int
    """The size of the files that are done, while they are read."""
    rate: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The library in numbers, for one space."""

    files: int
    """Files that are present."""
    pictures: int
    """Pictures with at least one present file."""
    encoded: int
    """Of those pictures, the ones with a vector in the space."""
    failed: int
    missing: int
    vectors: int
    """All vectors of the space, those of missing pictures included: what the index should hold."""
    indexed: int
    """Vectors recorded as pushed into the index that is in place."""


@dataclass(frozen=True, slots=True)
class RootCounts:
    """The files below one of the folders that the library was made from."""

    path: bytes
    files: int
    """Files that are present."""
    missing: int
    failed: int
