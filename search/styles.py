"""Styles: a prompt or a picture -> the clusters of a map that fit it best, and their best items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from library import collections, map_points, maps
from library.collections import Item
from library.database import Database
from library.map_points import NOISE, Ids
from library.maps import Cluster, Map
from library.matrix import Matrix, Rows
from library.spaces import Space
from library.vectors import Vectors
from search.map_grow import check_space

EXAMPLES = 6
_BEST = 3
# An item's pictures are of one style when they lie this much closer together than all of the map's.
_CONSISTENT = 0.7
# How far the first is before the second, in standard deviations of all clusters' cosines.
_CLEARLY = 0.5


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a few pictures lie apart."""

    spread: float
    """1 - the length of their mean vector: 0 where all are the same."""
    consistent: bool
    """Whether they are of one style."""


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item that fits: `score` is the mean of its vector's cosine and its best pictures'."""

    item: Item
    score: float
    pictures: int
    examples: tuple[int, ...]
    """Those of its pictures in the cluster that fit best."""
    apart: Spread
    """All of its pictures."""


@dataclass(frozen=True, slots=True)
class FoundCluster:
    """A cluster that fits, by the cosine to its centroid."""

    cluster: Cluster
    score: float
    size: int
    examples: tuple[int, ...]
    items: tuple[FoundItem, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The best clusters of a map, the best first."""

    map: Map
    clusters: tuple[FoundCluster, ...]
    lead: float
    """How far the first is before the second, in cosine; 0 where there is one alone."""
    clear: bool
    """Whether that is far, for these clusters."""


class Styles:
    """Answers from the maps of one space of a library."""

    def __init__(self, database: Database, space: Space, matrix: Matrix) -> None:
        self._database = database
        self._space = space
        self._matrix = matrix

    def ask(self, one: Map, vector: Vectors, clusters: int, items: int) -> Answer:
        """The best clusters for a unit vector (dim,), and the best items in each.

        Raises MapError for a map of another space.
        """
        check_space(one, self._space)
        connection = self._database.connection
        centroids = maps.centroids(connection, one.id)
        scores = centroids @ vector
        order = np.argsort(-scores, kind="stable")
        lead = float(scores[order[0]] - scores[order[1]]) if len(order) > 1 else 0.0
        known = maps.clusters(connection, one.id)
        pairs = np.array(collections.pairs(connection), np.int64).reshape(-1, 2).T
        found = tuple(
            self._cluster(one, known[place], float(scores[place]), vector, items, pairs)
            for place in order[:clusters].tolist()
        )
        return Answer(one, found, lead, len(order) == 1 or lead >= _CLEARLY * float(scores.std()))

    def typical(self, one: Map, number: int) -> list[int]:
        """The pictures of a cluster, the most typical first; those in none by their ids."""
        connection = self._database.connection
        ids = map_points.members(connection, one.id, number)
        if number != NOISE and one.space_id == self._space.id:
            ids, vectors = _of(self._matrix.rows(), ids)
            centroid = maps.centroids(connection, one.id)[number]
            ids = ids[np.argsort(-(vectors @ centroid), kind="stable")]
        found: list[int] = ids.tolist()
        return found

    def spread(self, one: Map, image_ids: Sequence[int]) -> Spread:
        """How far these pictures lie apart, and whether that is one style on this map."""
        rows = self._matrix.rows()
        _, vectors = _of(rows, np.array(image_ids, np.int64))
        return _spread(vectors, float(one.figures["spread"]))

    def _cluster(
        self,
        one: Map,
        cluster: Cluster,
        score: float,
        vector: Vectors,
        items: int,
        pairs: Ids,
    ) -> FoundCluster:
        connection = self._database.connection
        members = map_points.members(connection, one.id, cluster.number)
        return FoundCluster(
            cluster,
            round(score, 4),
            len(members),
            self._best(members, vector),
            self._items(one, members, vector, items, pairs),
        )

    def _best(self, image_ids: Ids, vector: Vectors) -> tuple[int, ...]:
        ids, vectors = _of(self._matrix.rows(), image_ids)
        best = np.argsort(-(vectors @ vector), kind="stable")[:EXAMPLES]
        return tuple(ids[best].tolist())

    def _items(
        self, one: Map, members: Ids, vector: Vectors, items: int, pairs: Ids
    ) -> tuple[FoundItem, ...]:
        connection = self._database.connection
        rows, around = self._matrix.rows(), float(one.figures["spread"])
        inside = np.isin(pairs[1], members)
        item_ids, image_ids = pairs[0][inside], pairs[1][inside]
        scored = []
        for item_id in np.unique(item_ids).tolist():
            ids, vectors = _of(rows, image_ids[item_ids == item_id])
            if len(ids):
                scored.append((_score(vectors, vector), item_id, ids, vectors))
        scored.sort(key=lambda each: (-each[0], each[1]))
        found = []
        for score, item_id, ids, vectors in scored[:items]:
            item = collections.item(connection, item_id)
            whole = collections.images_of(connection, item_id)
            if item is not None:
                apart = _spread(_of(rows, np.array(whole, np.int64))[1], around)
                best = ids[np.argsort(-(vectors @ vector), kind="stable")[:EXAMPLES]]
                found.append(
                    FoundItem(item, round(score, 4), len(whole), tuple(best.tolist()), apart)
                )
        return tuple(found)


def _of(rows: Rows, image_ids: Ids) -> tuple[Ids, Vectors]:
    """The ids of those pictures that have a vector, and the vectors."""
    places = np.sort(rows.of_images(image_ids))
    return rows.image_ids[places], rows.vectors[places]


def _score(vectors: Vectors, vector: Vectors) -> float:
    mean = vectors.mean(axis=0)
    whole = float(mean @ vector / max(float(np.linalg.norm(mean)), 1e-12))
    best = np.sort(vectors @ vector)[-_BEST:]
    return (whole + float(best.mean())) / 2


def _spread(vectors: Vectors, around: float) -> Spread:
    if not len(vectors):
        return Spread(0.0, True)
    spread = 1 - float(np.linalg.norm(vectors.mean(axis=0)))
    # Few pictures lie nearer to their own mean than many would.
    unbiased = spread * len(vectors) / (len(vectors) - 1) if len(vectors) > 1 else 0.0
    return Spread(round(spread, 4), unbiased <= _CONSISTENT * around)
