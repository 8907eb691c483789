"""The pictures that filters leave: one SQL statement over the present files and their pictures."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from library import nearby
from library.filters import TYPES, Filters, Near, Trait

Ids = NDArray[np.int64]
_Number = TypeVar("_Number", np.int64, np.float64)

_LAST_NS = 2**63 - 1
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
_PATH = "CAST(path AS TEXT)"
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
    ids = _numbers(row[0], np.int64)
    if filters.near:
        latitudes, longitudes = (_numbers(text, np.float64) for text in row[1:])
        ids = ids[nearby.distances(filters.near, latitudes, longitudes) <= filters.near.km]
    return _each_once(ids)


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
    if not 1970 <= day.year <= 2260:  # before the clock begins, and more than 64 bits hold
        return -_LAST_NS if day.year < 1970 else _LAST_NS
    return int(datetime.combine(day, time()).timestamp()) * 10**9


def _text(trait: Trait) -> _Condition:
    if trait.kind == "camera":
        sql, patterns = _contains("camera", trait.text)
        return _Condition(sql if trait.wanted else f"camera IS NULL OR NOT ({sql})", patterns)
    # With the slash that a folder's path does not end with, `2019/` is the end of a name.
    sql, patterns = _contains(_PATH if trait.kind == "name" else f"{_PATH} || '/'", trait.text)
    if trait.kind == "folder":
        sql = f"folder_id IN (SELECT id FROM folders WHERE {sql})"
    return _Condition(sql if trait.wanted else _NO_FILE.format(sql), patterns, of_file=True)


def _contains(column: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The condition, and its parameters, that a column contains a text in any case.

    SQLite compares bytes, so that a path need not be valid UTF-8.
    """
    if text.lower() == text.upper():  # Korean, for one: nothing to fold
        forms = tuple({unicodedata.normalize(form, text) for form in _FORMS})
        return f"({_any(f'instr({column}, ?)', forms)})", forms
    # LIKE is the faster, and knows the cases of ASCII alone.
    plain = max(re.split("[^ -~]+", unicodedata.normalize("NFC", text)), key=len)
    like = f"{column} LIKE ? ESCAPE '\\'"
    pattern = "%" + re.sub(r"([%_\\])", r"\\\1", plain) + "%"
    if plain == text:
        return like, (pattern,)
    patterns = globs(text)
    return f"({like} AND ({_any(f'{column} GLOB ?', patterns)}))", (pattern, *patterns)


def _any(condition: str, parameters: Sequence[object]) -> str:
    return " OR ".join([condition] * len(parameters))


def globs(text: str) -> tuple[str, ...]:
    """Patterns of SQLite's GLOB, one of which fits each text that contains this one in any case.

    Both of Unicode's forms are found: macOS writes é as e and an accent, others as one letter.
    """
    patterns: list[str] = []
    for form in _FORMS:
        letters = unicodedata.normalize(form, text)
        behind = "".join(_one_of(_cases(letter)) for letter in letters[1:])
        # No class of cases at the beginning: SQLite finds a single letter many times faster.
        patterns += (f"*{_one_of([letter])}{behind}*" for letter in _cases(letters[0]))
    return tuple(dict.fromkeys(patterns))


def _one_of(letters: list[str]) -> str:
    plain = len(letters) == 1 and letters[0] not in "*?["
    return letters[0] if plain else f"[{''.join(letters)}]"


def _cases(letter: str) -> list[str]:
    cases = (letter, letter.lower(), letter.upper())
    return [case for case in dict.fromkeys(cases) if len(case) == 1]


def _box(near: Near) -> _Condition:
    box = nearby.box(near)
    # Around the antimeridian, too: degrees apart go from 0 to 360.
    sql = """latitude BETWEEN ? AND ?
        AND min(abs(longitude - ?), 360 - abs(longitude - ?)) <= ?"""
    place = near.longitude, near.longitude, box.width
    return _Condition(sql, (box.south, box.north, *place))


def _numbers(text: str | None, kind: type[_Number]) -> NDArray[_Number]:
    return np.fromstring(text or "", kind, sep=",")


def _each_once(ids: Ids) -> Ids:
    # Nearly sorted as they are, which np.unique makes nothing of.
    ids = np.sort(ids, kind="stable")
    return ids[np.diff(ids, prepend=-1) > 0]
