"""The tables of maps: a space's pictures as points in clusters, built once and added to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from library import map_points
from library.map_points import Points
from library.spaces import Space
from library.vectors import Vectors

_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of a map."""

    number: int
    """From 0 on, the largest first."""
    x: int
    y: int
    spread: float
    """Mean of 1 - cosine of its members to the centroid: 0 where all are the same."""
    labels: tuple[str, ...]
    """Words that fit it better than they fit the rest, the best first."""
    medoids: tuple[int, ...]
    """Its most typical pictures, the best first."""
    name: str | None = None
    """What somebody called it."""


@dataclass(frozen=True, slots=True)
class Map:
    """A map without its points. `created` is Unix time."""

    id: int
    name: str
    space_id: int
    collection_id: int | None
    created: float
    parameters: Mapping[str, Any]
    """All that it was made with, by name."""
    figures: Mapping[str, Any]
    """What its making came to: variance kept, the curve of silhouettes, seconds, spread, ..."""


@dataclass(frozen=True, slots=True)
class NewMap:
    """A map that has been made and is to be kept."""

    name: str
    space: Space
    collection_id: int | None
    created: float
    parameters: Mapping[str, Any]
    figures: Mapping[str, Any]
    mean: Vectors
    components: Vectors
    clusters: tuple[Cluster, ...]
    centroids: Vectors
    points: Points


_MAP = "SELECT id, name, space_id, collection_id, created, parameters, figures FROM maps"


def put(connection: sqlite3.Connection, made: NewMap) -> int:
    """Keep a map, in the place of the one of its name; gives its id. Call it in a transaction."""
    former = named(connection, made.name)
    if former is not None:
        delete(connection, former.id)
    (map_id,) = connection.execute(
        """INSERT INTO maps (id, name, space_id, collection_id, created, parameters, figures, mean,
            components) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (
            former and former.id,  # so that links to it lead to the new one
            made.name,
            made.space.id,
            made.collection_id,
            made.created,
            json.dumps(dict(made.parameters)),
            json.dumps(dict(made.figures)),
            made.mean.astype(_DTYPE).tobytes(),
            np.ascontiguousarray(made.components, _DTYPE).tobytes(),
        ),
    ).fetchone()
    _put_clusters(connection, map_id, made)
    map_points.add(connection, map_id, made.points, placed=False)
    return int(map_id)


def _put_clusters(connection: sqlite3.Connection, map_id: int, made: NewMap) -> None:
    connection.executemany(
        """INSERT INTO clusters (map_id, number, x, y, spread, centroid, labels, medoids, name)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (
                map_id,
                one.number,
                one.x,
                one.y,
                one.spread,
                centroid.astype(_DTYPE).tobytes(),
                json.dumps(one.labels),
                json.dumps(one.medoids),
                one.name,
            )
            for one, centroid in zip(made.clusters, made.centroids, strict=True)
        ),
    )


def maps(connection: sqlite3.Connection) -> list[Map]:
    """Every map, the newest first."""
    return [_read(row) for row in connection.execute(f"{_MAP} ORDER BY created DESC, id DESC")]


def get(connection: sqlite3.Connection, map_id: int) -> Map | None:
    """A map, or None."""
    row = connection.execute(f"{_MAP} WHERE id = ?", (map_id,)).fetchone()
    return None if row is None else _read(row)


def named(connection: sqlite3.Connection, name: str) -> Map | None:
    """The map of a name, or None."""
    row = connection.execute(f"{_MAP} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _read(row)


def delete(connection: sqlite3.Connection, map_id: int) -> None:
    """Forget a map. Call it in a transaction."""
    connection.execute("DELETE FROM maps WHERE id = ?", (map_id,))


def rename(connection: sqlite3.Connection, map_id: int, name: str) -> bool:
    """Give a map another name; False where another map has it."""
    other = named(connection, name)
    if other is not None and other.id != map_id:
        return False
    connection.execute("UPDATE maps SET name = ? WHERE id = ?", (name, map_id))
    return True


def name_cluster(
    connection: sqlite3.Connection, map_id: int, number: int, name: str | None
) -> bool:
    """Call a cluster something, or nothing; False where there is no such cluster."""
    cursor = connection.execute(
        "UPDATE clusters SET name = ? WHERE map_id = ? AND number = ?", (name, map_id, number)
    )
    return cursor.rowcount > 0


def clusters(connection: sqlite3.Connection, map_id: int) -> list[Cluster]:
    """The clusters of a map, in the order of their numbers."""
    rows = connection.execute(
        """SELECT number, x, y, spread, labels, medoids, name FROM clusters
        WHERE map_id = ? ORDER BY number""",
        (map_id,),
    )
    return [
        Cluster(number, x, y, spread, tuple(json.loads(labels)), tuple(json.loads(medoids)), name)
        for number, x, y, spread, labels, medoids, name in rows
    ]


def centroids(connection: sqlite3.Connection, map_id: int) -> Vectors:
    """The centroids (k, dim) of a map's clusters, unit vectors, in the order of their numbers."""
    rows = connection.execute(
        "SELECT centroid FROM clusters WHERE map_id = ? ORDER BY number", (map_id,)
    ).fetchall()
    return np.frombuffer(b"".join(row for (row,) in rows), _DTYPE).reshape(len(rows), -1)


def projection(connection: sqlite3.Connection, map_id: int) -> tuple[Vectors, Vectors]:
    """What a map's vectors are projected by: mean (dim,) and components (c, dim)."""
    mean, components = connection.execute(
        "SELECT mean, components FROM maps WHERE id = ?", (map_id,)
    ).fetchone()
    centre = np.frombuffer(mean, _DTYPE)
    return centre, np.frombuffer(components, _DTYPE).reshape(-1, len(centre))


def _read(row: Sequence[Any]) -> Map:
    map_id, name, space_id, collection_id, created, parameters, figures = row
    return Map(
        map_id,
        name,
        space_id,
        collection_id,
        created,
        json.loads(parameters),
        json.loads(figures),
    )
