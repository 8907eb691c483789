"""New pictures on a map that is there: in the nearest cluster, and beside those they are like.

UMAP's own model is not kept: it can only be pickled, and a pickle runs whatever it holds and opens
in the version alone that wrote it. A picture lies where UMAP's transform would begin, at the mean
of its neighbours' places weighted by how near they are, and stays there.
"""

from __future__ import annotations

import numpy as np

from library.map_points import NOISE, Numbers
from library.vectors import Vectors
from search.projection import NEIGHBOURS, Projection

_CHUNK = 256


def places(new: Vectors, built: Vectors, plane: Numbers, projection: Projection) -> Numbers:
    """Where new vectors (m, dim) lie, (m, 2): by those (n, dim) that the map was built of.

    `plane` (n, 2) is where these lie.
    """
    known, asked = projection.of(built), projection.of(new)
    count = min(NEIGHBOURS, len(known))
    found = np.empty((len(new), 2), np.int32)
    for first in range(0, len(new), _CHUNK):
        cosines = asked[first : first + _CHUNK] @ known.T
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        distances = 1 - np.take_along_axis(cosines, near, axis=1)
        weights = 1 / (distances + 1e-3)
        weights /= weights.sum(axis=1, keepdims=True)
        found[first : first + _CHUNK] = np.rint((plane[near] * weights[:, :, None]).sum(axis=1))
    return found


def nearest_clusters(new: Vectors, centroids: Vectors, farthest: Vectors | None = None) -> Numbers:
    """The cluster (m,) of each new vector (m, dim): that of the nearest centroid (k, dim).

    Where a map has noise, whoever is farther from the centroid than all who were there when it was
    built, is noise: `farthest` (k,) are their cosines.
    """
    cosines = new @ centroids.T
    clusters: Numbers = cosines.argmax(axis=1).astype(np.int32)
    if farthest is not None:
        clusters[cosines.max(axis=1) < farthest[clusters]] = NOISE
    return clusters
