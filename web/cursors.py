"""Cursors: where a list of results goes on, as the text in an address."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from library.models import Place, Results

_TEXT = re.compile(r"(-?[01](?:\.[0-9]{1,6})?)_([0-9]{1,18})_([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, and how many hits stand before it."""

    place: Place | None
    shown: int

    def __str__(self) -> str:
        if self.place is None:
            return ""
        return f"{self.place.score:.6f}_{self.place.image_id}_{self.shown}"


START = Cursor(None, 0)


def parse_cursor(text: str) -> Cursor:
    """The cursor that a text stands for; whatever is none is a list's beginning."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return START
    score = float(match[1])
    return Cursor(Place(score, int(match[2])), int(match[3])) if math.isfinite(score) else START


def following(cursor: Cursor, results: Results) -> Cursor | None:
    """Where the page after these results begins; None at the end."""
    if results.end is None:
        return None
    return Cursor(results.end, cursor.shown + len(results.hits))
