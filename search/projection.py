"""Vectors -> few dimensions: PCA, and UMAP on what that leaves.

scikit-learn and umap-learn do it. They are an extra, and imported when a map is built: numba alone
takes seconds.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.vectors import Vectors
from search.errors import MapError
from search.steps import At, Report, Step

COMPONENTS = 50
CLUSTER_DIMS = 10
NEIGHBOURS = 15
SEED = 0

_EPOCH = re.compile(r"(\d+)/(\d+)")
_INSTALL = (
    "Maps need two more packages, scikit-learn and umap-learn: "
    ".venv/bin/python -m pip install -r requirements-map.txt"
)

Embedded = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Projection:
    """A PCA: `mean` (dim,), `components` (c, dim), and the share of the variance that they keep."""

    mean: Vectors
    components: Vectors
    kept: float

    def of(self, vectors: Vectors) -> Vectors:
        """Vectors (n, dim) as unit vectors (n, c): their cosines are what UMAP goes by."""
        points = (vectors - self.mean) @ self.components.T
        norms = np.linalg.norm(points, axis=1, keepdims=True)
        unit: Vectors = (points / np.maximum(norms, 1e-12)).astype(np.float32)
        return unit


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest of each point, itself first: numbers and cosine distances, both (n, k)."""

    numbers: NDArray[np.int64]
    distances: Embedded


def is_installed() -> bool:
    """Whether the extra is there; it is not imported."""
    return all(importlib.util.find_spec(name) for name in ("sklearn", "umap"))


def check_installed() -> None:
    """Raise MapError, saying what to install, where the extra is missing."""
    if not is_installed():
        raise MapError(_INSTALL)


def fit_pca(vectors: Vectors, components: int = COMPONENTS, seed: int = SEED) -> Projection:
    """The PCA of vectors (n, dim), with fewer components where n or dim is smaller."""
    from sklearn.decomposition import PCA

    number = min(components, len(vectors) - 1, vectors.shape[1])
    pca = PCA(number, random_state=seed).fit(vectors)
    return Projection(
        pca.mean_.astype(np.float32),
        pca.components_.astype(np.float32),
        float(pca.explained_variance_ratio_.sum()),
    )


def nearest(points: Vectors, count: int = NEIGHBOURS) -> Neighbours:
    """The nearest by cosine of unit vectors (n, c), found exactly.

    Not UMAP's own search: that one is approximate, and compiled for a minute at its first use.
    """
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=min(count, len(points)), algorithm="brute").fit(points)
    distances, numbers = found.kneighbors(points)
    return Neighbours(numbers, (distances**2 / 2).astype(np.float32))


def embed(
    points: Vectors, neighbours: Neighbours, dims: int, seed: int, step: Step, report: Report
) -> Embedded:
    """UMAP of unit vectors (n, c) by cosine: (n, dims). Dense for clusters, airy for the eye."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # parts that want TensorFlow
        import umap

        # What comes later is placed by its neighbours: see place.py.
        warnings.filterwarnings("ignore", message="precomputed_knn.*transform", module="umap")
        made = umap.UMAP(
            n_components=min(dims, points.shape[1]),
            n_neighbors=neighbours.numbers.shape[1],
            min_dist=0.0 if dims > 2 else 0.1,
            metric="cosine",
            init="pca",
            random_state=seed,
            n_jobs=1,  # which a seed asks for
            precomputed_knn=(neighbours.numbers, neighbours.distances),
            tqdm_kwds={
                "disable": False,
                "file": _Epochs(step, report),
                "bar_format": "{n_fmt}/{total_fmt}",
            },
        ).fit_transform(points)
    embedded: Embedded = np.asarray(made, np.float32)
    return embedded


class _Epochs:
    """A file that UMAP writes its progress to."""

    def __init__(self, step: Step, report: Report) -> None:
        self._step = step
        self._report = report

    def write(self, text: str) -> None:
        if found := _EPOCH.search(text):
            self._report(At(self._step, int(found[1]) / max(1, int(found[2]))))

    def flush(self) -> None:
        pass
