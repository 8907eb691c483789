"""The pictures that filters leave: one SQL statement over the present files and their pictures."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

import numpy as np
from numpy.typing import NDArray

from library.filters import TYPES, Filters, Near, Trait

Ids = NDArray[np.int64]

_EARTH_KM = 6371.0088
_LAST_NS = 2**63 - 1
_PATH = "CAST(path AS TEXT)"
# With the slash that a folder's path does not end with, `2019/` is the end of a name.
_FOLDER = f"folder_id IN (SELECT id FROM folders WHERE {_PATH} || '/' {{}})"
_NO_FILE = """image_id NOT IN (SELECT image_id FROM files NOT INDEXED
    WHERE missing_since IS NULL AND image_id IS NOT NULL AND {})"""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition in SQL on rows of files and images, with its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()
    of_file: bool = False
    """It reads columns of files that no index has."""


def matching(connection: sqlite3.Connection, filters: Filters) -> Ids:
    """The ids (n,) of the present pictures that fulfil some filters, each once, ascending.

    What is wanted of a file (its path, its folder, when it was changed) has to be true of one
    present file of the picture; what is unwanted must be true of none.
    """
    conditions = list(_conditions(filters))
    place = ", group_concat(latitude), group_concat(longitude)" if filters.near else ""
    # Whole tables in the order of their rows, or of an index: single looks take far longer. And
    # one long text, because a row for each id would take most of the time.
    by = "NOT INDEXED" if any(c.of_file for c in conditions) else "INDEXED BY files_by_image"
    row = connection.execute(
        f"""SELECT group_concat(image_id) {place}
        FROM files {by} CROSS JOIN images ON images.id = image_id
        WHERE missing_since IS NULL {"".join(f" AND ({c.sql})" for c in conditions)}""",
        [parameter for condition in conditions for parameter in condition.parameters],
    ).fetchone()
    ids = _numbers(row[0]).astype(np.int64)
    return np.unique(ids[_close(filters.near, *map(_numbers, row[1:]))] if filters.near else ids)


def _conditions(filters: Filters) -> Iterator[_Condition]:
    if filters.after or filters.before:
        yield _taken(filters.after or date.min, filters.before or date.max)
    if filters.least is not None:
        yield _Condition("width * height >= ?", (filters.least,))
    if filters.most is not None:
        yield _Condition("width * height <= ?", (filters.most,))
    if filters.near:
        yield _box(filters.near)
    types = [trait for trait in filters.traits if trait.kind == "type"]
    for wanted in (True, False):
        formats = [f for t in types if t.wanted is wanted for f in TYPES[t.text]]
        if formats:
            marks = ", ".join("?" * len(formats))
            yield _Condition(f"format {'' if wanted else 'NOT'} IN ({marks})", tuple(formats))
    yield from (_text(trait) for trait in filters.traits if trait.kind != "type")


def _taken(after: date, before: date) -> _Condition:
    """Taken on a day from `after` to before `before`, in local time as cameras have it."""
    return _Condition(
        """CASE WHEN taken_at IS NULL THEN mtime_ns >= ? AND mtime_ns < ?
        ELSE taken_at >= ? AND taken_at < ? END""",
        (_ns(after), _ns(before), after.isoformat(), before.isoformat()),
        of_file=True,
    )


def _ns(day: date) -> int:
    """The beginning of a day here, as files have it: nanoseconds since 1970."""
    if day.year < 1970:
        return -_LAST_NS if day == date.min else (day - date(1970, 1, 1)).days * 86_400 * 10**9
    if day.year > 2260:  # more than 64 bits hold
        return _LAST_NS
    return int(datetime.combine(day, time()).timestamp()) * 10**9


def _text(trait: Trait) -> _Condition:
    patterns = globs(trait.text)
    if trait.kind == "camera":
        sql = " OR ".join(["camera GLOB ?"] * len(patterns))
        return _Condition(sql if trait.wanted else f"camera IS NULL OR NOT ({sql})", patterns)
    one = f"{_PATH} GLOB ?" if trait.kind == "name" else _FOLDER.format("GLOB ?")
    sql = " OR ".join([one] * len(patterns))
    return _Condition(sql if trait.wanted else _NO_FILE.format(f"({sql})"), patterns, of_file=True)


def globs(text: str) -> tuple[str, ...]:
    """Patterns of SQLite's GLOB, one of which every text has that contains this one in any case.

    Both of Unicode's forms are found: macOS writes é as e and an accent, others as one letter.
    SQLite compares bytes, so that a path need not be valid UTF-8.
    """
    patterns = []
    for form in ("NFC", "NFD"):
        first, *rest = unicodedata.normalize(form, text)
        behind = "".join(map(_one_of, rest))
        # No class at the beginning: SQLite looks for a letter many times faster.
        patterns += [f"*{_one_of(letter, cased=False)}{behind}*" for letter in _cases(first)]
    return tuple(dict.fromkeys(patterns))


def _one_of(letter: str, cased: bool = True) -> str:
    cases = _cases(letter) if cased else [letter]
    return f"[{''.join(cases)}]" if len(cases) > 1 or letter in "*?[" else letter


def _cases(letter: str) -> list[str]:
    cases = (letter, letter.lower(), letter.upper())
    return [case for case in dict.fromkeys(cases) if len(case) == 1]


def _box(near: Near) -> _Condition:
    """The degrees that hold everything within a distance: a bound for `_close`."""
    reach = near.km / _EARTH_KM
    south, north = (near.latitude + sign * np.degrees(reach) for sign in (-1, 1))
    in_latitude = "latitude BETWEEN ? AND ?"
    latitudes = (float(south) - 1e-6, float(north) + 1e-6)
    if south <= -90 or north >= 90:  # around a pole lie all longitudes
        return _Condition(in_latitude, latitudes)
    # Where the circle is widest: https://janmatuschek.de/LatitudeLongitudeBoundingCoordinates
    width = float(np.degrees(np.arcsin(np.sin(reach) / np.cos(np.radians(near.latitude))))) + 1e-6
    # Around the antimeridian, too: the difference is from 0 to 360.
    in_longitude = "min(abs(longitude - ?), 360 - abs(longitude - ?)) <= ?"
    return _Condition(
        f"{in_latitude} AND {in_longitude}", (*latitudes, near.longitude, near.longitude, width)
    )


def _close(near: Near, latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> Ids:
    """Which places lie within the distance, by the haversine formula on a sphere."""
    north, here = np.radians(latitudes), np.radians(near.latitude)
    across = np.radians(longitudes - near.longitude)
    half = np.sin((north - here) / 2) ** 2 + np.cos(north) * np.cos(here) * np.sin(across / 2) ** 2
    return np.flatnonzero(2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1))) <= near.km)


def _numbers(text: str | None) -> NDArray[np.float64]:
    return np.fromstring(text or "", np.float64, sep=",")
