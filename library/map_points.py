"""The table of map_points: where each picture lies on a map, and in which cluster."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.collections import pairs_where

SIDE = 65_535
"""Points lie from 0 to this, in both directions."""
NOISE = -1
"""The number of the cluster that a point without one has."""

Ids = NDArray[np.int64]
Numbers = NDArray[np.int32]

_PRESENT = """EXISTS (SELECT 1 FROM files
    WHERE files.image_id = map_points.image_id AND missing_since IS NULL)"""


@dataclass(frozen=True, slots=True)
class Points:
    """Pictures on a map, each (n,): ids, clusters (NOISE for none), x and y from 0 to SIDE."""

    image_ids: Ids
    clusters: Numbers
    x: Numbers
    y: Numbers

    def __len__(self) -> int:
        return len(self.image_ids)


@dataclass(frozen=True, slots=True)
class Age:
    """How far a map is from the library as it is now, in pictures."""

    points: int
    """On the map, and there."""
    placed: int
    """Of those, what was placed after it was built."""
    waiting: int
    """There, with a vector, and not on the map yet."""
    gone: int
    """On the map, and not there any more."""


def add(connection: sqlite3.Connection, map_id: int, points: Points, *, placed: bool) -> None:
    """Put pictures on a map; those that are on it stay where they are."""
    columns = (points.image_ids, points.clusters, points.x, points.y)
    connection.executemany(
        """INSERT OR IGNORE INTO map_points (map_id, image_id, cluster, x, y, placed)
        VALUES (?, ?, nullif(?, -1), ?, ?, ?)""",
        (
            (map_id, *row, int(placed))
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ),
    )


def points(connection: sqlite3.Connection, map_id: int, *, built: bool = False) -> Points:
    """The pictures on a map that are there, by cluster and id; with `built` not what came later."""
    rows = connection.execute(
        f"""SELECT image_id, coalesce(cluster, -1), x, y FROM map_points
        WHERE map_id = ? AND {_PRESENT} {"AND NOT placed" if built else ""}
        ORDER BY cluster, image_id""",
        (map_id,),
    ).fetchall()
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Points(table[:, 0], *(table[:, column].astype(np.int32) for column in (1, 2, 3)))


def members(connection: sqlite3.Connection, map_id: int, number: int) -> Ids:
    """The pictures of a cluster that are there: ids, rising. NOISE gives those in none."""
    rows = connection.execute(
        f"""SELECT image_id FROM map_points
        WHERE map_id = ? AND cluster IS nullif(?, -1) AND {_PRESENT} ORDER BY image_id""",
        (map_id, number),
    ).fetchall()
    return np.fromiter((image_id for (image_id,) in rows), np.int64, len(rows))


def sizes(connection: sqlite3.Connection, map_id: int) -> dict[int, int]:
    """How many pictures each cluster has that are there, by its number; NOISE among them."""
    return dict(
        connection.execute(
            f"""SELECT coalesce(cluster, -1), count(*) FROM map_points
            WHERE map_id = ? AND {_PRESENT} GROUP BY cluster""",
            (map_id,),
        ).fetchall()
    )


def mappable(connection: sqlite3.Connection, space_id: int, collection_id: int | None) -> Ids:
    """The pictures that are there and have a vector, of a collection or of all: ids, rising."""
    within = "SELECT image_id FROM files WHERE missing_since IS NULL AND image_id IS NOT NULL"
    if collection_id is not None:
        within = f"SELECT image_id FROM ({pairs_where('collection_id = :collection')})"
    rows = connection.execute(
        f"""SELECT image_id FROM vectors WHERE space_id = :space AND image_id IN ({within})
        ORDER BY image_id""",
        {"space": space_id, "collection": collection_id},
    ).fetchall()
    return np.fromiter((image_id for (image_id,) in rows), np.int64, len(rows))


def age(
    connection: sqlite3.Connection, map_id: int, space_id: int, collection_id: int | None
) -> Age:
    """Compare a map with the library as it is now."""
    on_it, there, placed = connection.execute(
        f"""SELECT count(*), coalesce(sum({_PRESENT}), 0), coalesce(sum(placed AND {_PRESENT}), 0)
        FROM map_points WHERE map_id = ?""",
        (map_id,),
    ).fetchone()
    now = mappable(connection, space_id, collection_id)
    known = np.sort(on_map(connection, map_id))
    waiting = len(np.setdiff1d(now, known, assume_unique=True))
    return Age(there, placed, waiting, on_it - there)


def on_map(connection: sqlite3.Connection, map_id: int) -> Ids:
    """Every picture that was ever put on a map: ids."""
    rows = connection.execute(
        "SELECT image_id FROM map_points WHERE map_id = ?", (map_id,)
    ).fetchall()
    return np.fromiter((image_id for (image_id,) in rows), np.int64, len(rows))
