"""Choices: what a library has that a search can be narrowed to, as pages offer it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from library import files
from library.filters import TYPES

MOST_CAMERAS = 50
MOST_PLACES = 50
PLACE_DIGITS = 1
"""Decimal places of the degrees of a place: boxes of 11 km, or less far from the equator."""
_SECONDS = 30.0

_TYPE_OF = {form: name for name, forms in reversed(TYPES.items()) for form in forms}
"""The first type that a format belongs to, so that every RAW photo is `raw`."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Cameras and types (keys of TYPES) with their numbers of present pictures, most first."""

    cameras: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, int], ...]
    first_year: int | None
    last_year: int | None
    folders: tuple[str, ...]
    """The names of the folders that pictures lie in or below, the roots' among them, as a query
    can ask for them: those that are no UTF-8 are left out."""
    places: tuple[tuple[float, float, int], ...]
    """Latitude and longitude of boxes, and the numbers of pictures there, most first."""


def choices(connection: sqlite3.Connection) -> Choices:
    """Look through all present pictures."""
    # Names have no line breaks (exif.text), and SQLite's GROUP BY would sort all rows.
    cameras, formats, first, last = connection.execute(
        """SELECT group_concat(camera, char(10)), group_concat(format, char(10)),
            min(taken_at), max(taken_at)
        FROM (SELECT DISTINCT image_id FROM files INDEXED BY files_by_image
            WHERE missing_since IS NULL)
        CROSS JOIN images ON images.id = image_id"""
    ).fetchone()
    types: Counter[str] = Counter()
    for form, number in _counted(formats).items():
        types[_TYPE_OF.get(form, form.lower())] += number
    return Choices(
        tuple(_ranked(_counted(cameras))[:MOST_CAMERAS]),
        tuple(pair for pair in _ranked(types) if pair[0] in TYPES),
        int(first[:4]) if first else None,
        int(last[:4]) if last else None,
        _folder_names(connection),
        _places(connection),
    )


def _folder_names(connection: sqlite3.Connection) -> tuple[str, ...]:
    above = tuple(os.path.dirname(root).rstrip(b"/") + b"/" for root in files.roots(connection))
    rows = connection.execute(
        """SELECT path FROM folders WHERE EXISTS (SELECT 1 FROM files
            WHERE folder_id = folders.id AND missing_since IS NULL AND image_id IS NOT NULL)"""
    )
    names: set[bytes] = set()
    for (path,) in rows:
        parent = next((one for one in above if path.startswith(one)), b"/")
        names.update(path[len(parent) :].split(b"/"))
    return tuple(sorted(name for name in map(_text, names) if name))


def _places(connection: sqlite3.Connection) -> tuple[tuple[float, float, int], ...]:
    rows = connection.execute(
        """SELECT round(latitude, :digits) AS north, round(longitude, :digits) AS east, count(*)
        FROM images WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND EXISTS
            (SELECT 1 FROM files WHERE image_id = images.id AND missing_since IS NULL)
        GROUP BY north, east ORDER BY count(*) DESC, north, east LIMIT :most""",
        {"digits": PLACE_DIGITS, "most": MOST_PLACES},
    )
    # Adding zero makes 0 of -0.
    return tuple((north + 0.0, east + 0.0, number) for north, east, number in rows)


def _text(name: bytes) -> str:
    """A name as text; empty where a query could not hold it."""
    text = name.decode("utf-8", "replace")
    return text if text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text else ""


class ChoicesCache:
    """The choices for every page: looked for again when files came or went, and not too often."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._choices: Choices | None = None
        self._state: tuple[int, ...] = ()
        self._next = 0.0

    def get(self, connection: sqlite3.Connection) -> Choices:
        """What the library offers now, or offered half a minute ago."""
        known = self._choices
        if known is not None and (self._clock() < self._next or self._lock.locked()):
            return known  # nobody waits for somebody else's look
        with self._lock:
            state = _state(connection)
            if self._choices is None or state != self._state:
                self._choices = choices(connection)
            self._state, self._next = state, self._clock() + _SECONDS
            return self._choices


def _state(connection: sqlite3.Connection) -> tuple[int, ...]:
    """What differs when files came or went, from the ends of indexes."""
    row: tuple[int, ...] = connection.execute(
        """SELECT (SELECT max(id) FROM images), (SELECT max(id) FROM files),
            (SELECT count(*) FROM files WHERE missing_since IS NOT NULL)"""
    ).fetchone()
    return row


def _counted(text: str | None) -> Counter[str]:
    return Counter(text.split("\n") if text else ())


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
