"""Vectors -> clusters: PCA, UMAP, then KMeans or HDBSCAN, and back to the vectors for centroids.

scikit-learn and umap-learn do the work. The clusters are found where pictures that belong together
lie close together, in some ten dimensions; their centroids are means of the vectors themselves, so
that words, which lie in that space, can be compared with them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from library.map_points import NOISE, SIDE, Numbers
from library.vectors import Vectors
from search.errors import MapError
from search.projection import (
    CLUSTER_DIMS,
    COMPONENTS,
    NEIGHBOURS,
    SEED,
    Embedded,
    Projection,
    check_installed,
    embed,
    fit_pca,
    nearest,
)
from search.steps import At, Report, Step, quietly

Method = Literal["kmeans", "hdbscan"]

FEWEST = 8
"""Fewer pictures are seen at a glance."""
MOST_CLUSTERS = 64
"""As many as KMeans chooses of itself."""
_PER_CLUSTER = 5
_FEWEST_OF_MANY, _MANY = 12, 250
_SILHOUETTE_SAMPLE = 5_000
_ALIKE = 1e-4


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what comes of some vectors."""

    method: Method = "kmeans"
    clusters: int | None = None
    """For KMeans; None: by the best silhouette."""
    smallest: int | None = None
    """For HDBSCAN, the fewest members; None: a hundredth of the pictures, at least 5."""
    components: int = COMPONENTS
    dims: int = CLUSTER_DIMS
    neighbours: int = NEIGHBOURS
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Clustering:
    """What came of n vectors: `labels` (n,) with NOISE for none, `plane` (n, 2) from 0 to SIDE."""

    projection: Projection
    labels: Numbers
    plane: Numbers
    centroids: Vectors
    """(k, dim) unit vectors, the largest cluster first."""
    curve: tuple[tuple[int, float], ...]
    """The silhouette of each number of clusters that was tried."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What each step took."""


def cluster(vectors: Vectors, recipe: Recipe, report: Report = quietly) -> Clustering:
    """Find the clusters of unit vectors (n, dim). Raises MapError where there can be none."""
    check(vectors, recipe)
    check_installed()
    clock = _Clock(report)
    clock.begin("pca")
    projection = fit_pca(vectors, recipe.components, recipe.seed)
    points = projection.of(vectors)
    clock.begin("neighbours")
    near = nearest(points, recipe.neighbours)
    clock.begin("umap")
    close = embed(points, near, recipe.dims, recipe.seed, "umap", report)
    clock.begin("plane")
    plane = embed(points, near, 2, recipe.seed, "plane", report)
    clock.begin("clusters")
    labels, curve = _labels(close, recipe, report)
    labels = by_size(labels)
    centroids = means(vectors, labels)
    return Clustering(projection, labels, _in_square(plane), centroids, curve, clock.end())


def check(vectors: Vectors, recipe: Recipe) -> None:
    """Raise MapError for what no clusters can be made of."""
    count, wanted = len(vectors), recipe.clusters
    if wanted is not None and wanted < 2:
        raise MapError(f"{wanted} clusters are no map: ask for 2 or more, or leave the number out.")
    if recipe.smallest is not None and recipe.smallest < 2:
        raise MapError("The smallest cluster has 2 pictures or more.")
    if not 0 <= recipe.seed < 2**32:
        raise MapError("A seed is a whole number from 0 to 4294967295.")
    if count < FEWEST:
        raise MapError(f"A map needs {FEWEST} pictures or more; there are {count}.")
    if wanted is not None and wanted > count:
        raise MapError(f"{count} pictures cannot lie in {wanted} clusters: ask for fewer.")
    differing = _differing(vectors, wanted or 2)
    if differing == 1:
        raise MapError(f"All {count} pictures are the same to the model: there is nothing to map.")
    if differing < (wanted or 2):
        raise MapError(
            f"Only {differing} of {count} pictures differ, which is fewer than {wanted} clusters."
        )


def by_size(labels: NDArray[np.integer]) -> Numbers:
    """The same clusters numbered from 0 on, the largest first; NOISE stays NOISE."""
    numbers, counts = np.unique(labels[labels != NOISE], return_counts=True)
    order = numbers[np.lexsort((numbers, -counts))]
    renamed = np.full(len(labels), NOISE, np.int32)
    for number, former in enumerate(order):
        renamed[labels == former] = number
    return renamed


def means(vectors: Vectors, labels: Numbers) -> Vectors:
    """The centroids (k, dim): normalised means of each cluster's vectors."""
    found = np.stack(
        [vectors[labels == number].mean(axis=0) for number in range(int(labels.max()) + 1)]
    )
    unit: Vectors = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def numbers_to_try(count: int) -> list[int]:
    """The numbers of clusters that are compared for so many pictures, each a quarter above.

    Of many pictures not the very few: the silhouette likes two best, which says nothing of them.
    """
    most = min(MOST_CLUSTERS, max(2, count // _PER_CLUSTER))
    tried: list[int] = [min(_FEWEST_OF_MANY, max(2, count // _MANY))]
    while tried[-1] < most:
        tried.append(min(most, max(tried[-1] + 1, round(tried[-1] * 1.25))))
    return tried


def _labels(
    close: Embedded, recipe: Recipe, report: Report
) -> tuple[NDArray[np.integer], tuple[tuple[int, float], ...]]:
    if recipe.method == "hdbscan":
        return _hdbscan(close, recipe.smallest), ()
    if recipe.clusters is not None:
        return _kmeans(close, recipe.clusters, recipe.seed), ()
    return _best_kmeans(close, numbers_to_try(len(close)), recipe.seed, report)


def _kmeans(close: Embedded, clusters: int, seed: int) -> NDArray[np.integer]:
    from sklearn.cluster import KMeans

    labels: NDArray[np.integer] = KMeans(clusters, n_init=4, random_state=seed).fit_predict(close)
    return labels


def _best_kmeans(
    close: Embedded, numbers: Sequence[int], seed: int, report: Report
) -> tuple[NDArray[np.integer], tuple[tuple[int, float], ...]]:
    """By the best silhouette (Rousseeuw 1987), of a sample where there are many."""
    from sklearn.metrics import silhouette_score

    sample = min(_SILHOUETTE_SAMPLE, len(close))
    chosen, best = _kmeans(close, numbers[0], seed), -2.0
    curve = []
    for tried, number in enumerate(numbers):
        labels = _kmeans(close, number, seed)
        score = float(silhouette_score(close, labels, sample_size=sample, random_state=seed))
        curve.append((number, round(score, 4)))
        if score > best:
            chosen, best = labels, score
        report(At("clusters", (tried + 1) / len(numbers)))
    return chosen, tuple(curve)


def _hdbscan(close: Embedded, smallest: int | None) -> NDArray[np.integer]:
    from sklearn.cluster import HDBSCAN

    size = smallest or max(5, len(close) // 100)
    if size > len(close):
        raise MapError(f"No cluster can have {size} of {len(close)} pictures: ask for fewer.")
    labels: NDArray[np.integer] = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(close)
    if (labels < 0).all():
        raise MapError(
            f"No {size} pictures or more lie together more closely than the rest: "
            "ask for smaller clusters (--smallest), or for KMeans."
        )
    return labels


def _differing(vectors: Vectors, enough: int) -> int:
    """How many of the vectors differ, counted up to `enough`."""
    left = vectors
    count = 0
    while len(left) and count < enough:
        left = left[np.abs(left - left[0]).max(axis=1) > _ALIKE]
        count += 1
    return count


def _in_square(plane: Embedded) -> Numbers:
    """Points (n, 2) on a map, from 0 to SIDE, of the same shape and in its middle."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    scale = SIDE / max(float((high - low).max()), 1e-9)
    moved: Numbers = np.rint((plane - (low + high) / 2) * scale + SIDE / 2).astype(np.int32)
    clipped: Numbers = np.clip(moved, 0, SIDE)
    return clipped


class _Clock:
    """Tells which step begins, and keeps what each took."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seconds: dict[str, float] = {}
        self._at: tuple[Step, float] | None = None

    def begin(self, step: Step) -> None:
        self.end()
        self._at = (step, time.perf_counter())
        self._report(At(step))

    def end(self) -> dict[str, float]:
        if self._at is not None:
            step, started = self._at
            self._seconds[step] = round(time.perf_counter() - started, 2)
        return self._seconds
