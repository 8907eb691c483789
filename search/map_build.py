"""A library's pictures -> a map of them, kept in one transaction once it is whole."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import asdict, dataclass, field

import numpy as np

from library import collections, map_points, maps
from library.collections import Collection
from library.database import Database
from library.map_points import NOISE, Ids, Points
from library.maps import Cluster, NewMap
from library.matrix import Matrix
from library.spaces import Space
from library.vectors import Vectors
from mlx_clip import Encoder
from search import naming
from search.clusters import FEWEST, Clustering, Recipe, cluster
from search.errors import MapError
from search.steps import At, Report, quietly

MEDOIDS = 12
LONGEST_NAME = 80
_SHOWN = 5
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A map that is asked for: its name, the collection it is of (None: everything), and how."""

    name: str
    collection: str | None = None
    recipe: Recipe = field(default_factory=Recipe)


class Builder:
    """Builds maps of one space of a library."""

    def __init__(self, database: Database, space: Space, matrix: Matrix, encoder: Encoder) -> None:
        self._database = database
        self._space = space
        self._matrix = matrix
        self._encoder = encoder

    def build(self, wanted: Wanted, report: Report = quietly) -> int:
        """Make a map, or one that is there anew; gives its id.

        Names that somebody gave to clusters stay with them. Raises MapError, and then nothing has
        changed.
        """
        started = time.perf_counter()
        name = check_name(wanted.name)
        connection = self._database.connection
        collection = _collection(connection, wanted.collection)
        report(At("vectors"))
        ids, vectors = self._pictures(collection)
        found = cluster(vectors, wanted.recipe, report)
        report(At("names"))
        clusters = self._clusters(name, ids, vectors, found)
        made = NewMap(
            name,
            self._space,
            collection.id if collection else None,
            time.time(),
            asdict(wanted.recipe),
            _figures(vectors, found, time.perf_counter() - started),
            found.projection.mean,
            found.projection.components,
            clusters,
            found.centroids,
            Points(ids, found.labels, found.plane[:, 0], found.plane[:, 1]),
        )
        with self._database.transaction() as writing:
            return maps.put(writing, made)

    def _pictures(self, collection: Collection | None) -> tuple[Ids, Vectors]:
        """The pictures to map, and their vectors (n, dim)."""
        wanted = map_points.mappable(
            self._database.connection, self._space.id, collection.id if collection else None
        )
        if not len(wanted):
            raise MapError(_nothing(collection))
        rows = self._matrix.rows()
        places = np.sort(rows.of_images(wanted))
        ids, vectors = rows.image_ids[places], rows.vectors[places]
        check_finite(ids, vectors)
        return ids, vectors

    def _clusters(
        self, name: str, ids: Ids, vectors: Vectors, found: Clustering
    ) -> tuple[Cluster, ...]:
        words = naming.labels(vectors, found.labels, naming.vocabularies(self._encoder))
        names = naming.carried_names(self._named(name), ids, found.labels)
        clusters = []
        for number, centroid in enumerate(found.centroids):
            inside = np.flatnonzero(found.labels == number)
            cosines = vectors[inside] @ centroid
            x, y = np.median(found.plane[inside], axis=0).astype(int).tolist()
            best = np.argsort(-cosines, kind="stable")[:MEDOIDS]
            clusters.append(
                Cluster(
                    number,
                    x,
                    y,
                    round(float(1 - cosines.mean()), 4),
                    words[number],
                    tuple(ids[inside[best]].tolist()),
                    names.get(number),
                )
            )
        return tuple(clusters)

    def _named(self, name: str) -> list[tuple[str, Ids]]:
        """The clusters that somebody named, of the map that this one takes the place of."""
        connection = self._database.connection
        former = maps.named(connection, name)
        if former is None:
            return []
        return [
            (one.name, map_points.members(connection, former.id, one.number))
            for one in maps.clusters(connection, former.id)
            if one.name
        ]


def check_name(name: str) -> str:
    """A map's or cluster's name without space around it. Raises MapError for what is none."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise MapError(f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def check_finite(ids: Ids, vectors: Vectors) -> None:
    """Raise MapError when vectors (n, dim) hold what is no number, or have no direction."""
    wrong: list[int] = []
    for first in range(0, len(vectors), _CHUNK):
        part = vectors[first : first + _CHUNK]
        with np.errstate(all="ignore"):
            sound = np.linalg.norm(part, axis=1) > 0.5  # False where it is no number
        wrong += ids[first : first + _CHUNK][~sound | ~np.isfinite(part).all(axis=1)].tolist()
    if wrong:
        shown = ", ".join(f"#{number}" for number in wrong[:_SHOWN])
        more = ", ..." if len(wrong) > _SHOWN else ""
        raise MapError(
            f"{len(wrong)} of {len(vectors)} pictures have a damaged vector ({shown}{more}): "
            "python -m library doctor --mend removes it, and the next crawl makes it again."
        )


def _collection(connection: sqlite3.Connection, name: str | None) -> Collection | None:
    if name is None:
        return None
    found = collections.named(connection, name)
    if found is None:
        known = ", ".join(one.name for one in collections.collections(connection)) or "none yet"
        raise MapError(f"There is no collection “{name}”. There are: {known}.")
    return found


def _nothing(collection: Collection | None) -> str:
    if collection is None:
        return f"A map needs {FEWEST} pictures or more; there are 0."
    return (
        f"The collection “{collection.name}” has no pictures that were read: crawl its folder "
        "first (python -m crawler)."
    )


def _figures(vectors: Vectors, found: Clustering, seconds: float) -> dict[str, object]:
    noise = int((found.labels == NOISE).sum())
    mean = vectors.mean(axis=0, dtype=np.float64)
    return {
        "pictures": len(vectors),
        "clusters": len(found.centroids),
        "noise": noise,
        "variance_kept": round(found.projection.kept, 4),
        "components": len(found.projection.components),
        "silhouettes": [list(pair) for pair in found.curve],
        # Of all pictures around their mean direction: what the spread of a few is compared with.
        "spread": round(1 - float(np.linalg.norm(mean)), 4),
        "seconds": {**found.seconds, "all": round(seconds, 2)},
    }
