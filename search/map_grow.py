"""What has come into a library since a map was built -> onto that map, without building it anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from library import map_points, maps
from library.database import Database
from library.map_points import NOISE, Ids, Numbers, Points
from library.maps import Map
from library.matrix import Matrix
from library.spaces import Space
from library.vectors import Vectors
from search.errors import MapError
from search.map_build import check_finite
from search.place import nearest_clusters, places
from search.projection import Projection

STALE = 0.2
"""The share of pictures that came or went from which on a map should be built anew."""


@dataclass(frozen=True, slots=True)
class Grown:
    """How many pictures were placed, and how the map is now."""

    placed: int
    stale: bool


def share_changed(age: map_points.Age) -> float:
    """How much of a map and its library is not what the map was built of, from 0 to 1."""
    changed = age.placed + age.waiting + age.gone
    return changed / max(1, age.points + age.waiting + age.gone)


def is_stale(age: map_points.Age) -> bool:
    """Whether a map should be built anew."""
    return share_changed(age) >= STALE


def age_of(database: Database, one: Map) -> map_points.Age:
    """How far a map is from the library as it is now."""
    return map_points.age(database.connection, one.id, one.space_id, one.collection_id)


def check_space(one: Map, space: Space) -> None:
    """Raise MapError for a map that was made with another model."""
    if one.space_id != space.id:
        raise MapError(
            f"The map “{one.name}” was made with another model, whose vectors say nothing to this "
            "one: build it anew."
        )


def grow(database: Database, matrix: Matrix, space: Space, one: Map) -> Grown:
    """Place what is not on the map yet. Raises MapError for a map of another space."""
    check_space(one, space)
    connection = database.connection
    now = map_points.mappable(connection, space.id, one.collection_id)
    new = np.setdiff1d(now, map_points.on_map(connection, one.id))
    if len(new):
        points = _placed(database, matrix, one, new)
        with database.transaction() as writing:
            if maps.get(writing, one.id) is None:  # deleted meanwhile
                raise MapError(f"The map “{one.name}” has been deleted.")
            map_points.add(writing, one.id, points, placed=True)
    return Grown(len(new), is_stale(age_of(database, one)))


def _placed(database: Database, matrix: Matrix, one: Map, new: Ids) -> Points:
    connection = database.connection
    rows = matrix.rows()
    asked = np.sort(rows.of_images(new))
    ids, vectors = rows.image_ids[asked], rows.vectors[asked]
    check_finite(ids, vectors)
    known = map_points.points(connection, one.id, built=True)
    built, order = _vectors_of(matrix, known.image_ids)
    if not len(order):
        raise MapError(
            f"Nothing of what the map “{one.name}” was built of is there any more: build it anew."
        )
    plane = np.stack([known.x[order], known.y[order]], axis=1)
    where = places(vectors, built, plane, Projection(*maps.projection(connection, one.id), 0.0))
    centroids = maps.centroids(connection, one.id)
    farthest = _farthest(built, known.clusters[order], centroids)
    return Points(ids, nearest_clusters(vectors, centroids, farthest), where[:, 0], where[:, 1])


def _vectors_of(matrix: Matrix, image_ids: Ids) -> tuple[Vectors, Ids]:
    """The vectors of some pictures, and which of them each is of; some may have lost theirs."""
    rows = matrix.rows()
    places = rows.of_images(image_ids)
    by_id = np.argsort(image_ids)
    order = by_id[np.searchsorted(image_ids, rows.image_ids[places], sorter=by_id)]
    return rows.vectors[places], order


def _farthest(built: Vectors, clusters: Numbers, centroids: Vectors) -> Vectors | None:
    """The least cosine of each cluster's members to its centroid; None on a map without noise."""
    if not (clusters == NOISE).any():
        return None
    inside = clusters != NOISE
    cosines = np.einsum("ij,ij->i", built[inside], centroids[clusters[inside]])
    least = np.ones(len(centroids), np.float32)
    np.minimum.at(least, clusters[inside], cosines)
    return least
