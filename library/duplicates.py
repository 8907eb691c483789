"""What is asked of the library to find duplicates: every present picture, the best ones first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.spaces import Space

_COLUMNS = (
    "id",
    "hash",
    "known",
    "width",
    "height",
    "bytes",
    "oldest",
    "copies",
)


@dataclass(frozen=True, slots=True)
class Present:
    """The pictures with a present file, in order of worth: by resolution, file size, then age.

    Each array has one value a picture: (n,).
    """

    ids: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    """Perceptual hashes; 0 where there is none."""
    known: NDArray[np.bool_]
    """It has both a perceptual hash and a vector in the space."""
    shapes: NDArray[np.float64]
    """The logarithm of width over height."""
    sizes: NDArray[np.int64]
    """Bytes of one file of it."""
    copies: NDArray[np.int64]
    """How many present files it has."""


def present(connection: sqlite3.Connection, space: Space) -> Present:
    """Every picture that has a present file."""
    rows = connection.execute(
        """SELECT images.id, coalesce(perceptual_hash, 0),
            perceptual_hash IS NOT NULL AND EXISTS (
                SELECT 1 FROM vectors WHERE image_id = images.id AND space_id = ?),
            width, height, byte_size, min(mtime_ns), count(*)
        FROM files JOIN images ON images.id = files.image_id
        WHERE missing_since IS NULL GROUP BY files.image_id""",
        (space.id,),
    )
    table = np.fromiter(rows, [(name, np.int64) for name in _COLUMNS])
    areas = table["width"] * table["height"]
    table = table[np.lexsort((table["id"], table["oldest"], -table["bytes"], -areas))]
    return Present(
        table["id"].copy(),
        table["hash"].astype(np.uint64),
        table["known"].astype(np.bool_),
        np.log(np.maximum(1, table["width"]) / np.maximum(1, table["height"])),
        table["bytes"].copy(),
        table["copies"].copy(),
    )


def version(connection: sqlite3.Connection) -> int:
    """A number that is another one after any other connection has written to the library."""
    (number,) = connection.execute("PRAGMA data_version").fetchone()
    return int(number)
