"""Vectors that lie as a model's do: in clusters, all on one side, with a mean cosine of .55."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from library.vectors import Vectors

_MEAN, _SPREAD, NOISE = 1.25, 0.8, 0.8
_PER_CLUSTER = 50

Centres = NDArray[np.float64]


def centres(rng: np.random.Generator, vectors: int, dim: int) -> Centres:
    """The centres of the clusters that so many vectors lie in, fifty each."""
    number = max(1, vectors // _PER_CLUSTER)
    return _MEAN * rng.normal(size=dim) + _SPREAD * rng.normal(size=(number, dim))


def around(
    rng: np.random.Generator, centres: NDArray[np.floating], count: int, noise: float
) -> Vectors:
    """Unit vectors (count, dim), each at one of the centres with some noise."""
    matrix = np.empty((count, centres.shape[1]), np.float32)
    for first in range(0, count, 10_000):
        part = matrix[first : first + 10_000]
        part[:] = centres[rng.integers(0, len(centres), len(part))]
        part += np.float32(noise) * rng.standard_normal(part.shape, np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return matrix
