"""`python -m bench.index_child DATA VECTORS SHARD`: one index's figures, as a JSON list.

Vectors a second filled, bytes that filling added to the process, recall of the nearest 50 for
queries like pictures and like texts, and the milliseconds of the median query.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from library import images, vectors
from library.database import Database
from library.index import VectorIndex
from library.models import Metadata
from library.vectors import Space, Vectors

_DIM, _NEAREST, _QUERIES = 512, 50, 100
_BATCH = 1_000


def main(data: Path, count: int, shard: int) -> None:
    """Fill an index from a new library, and ask it."""
    rng = np.random.default_rng(0)
    centres = 1.25 * rng.normal(size=_DIM) + 0.8 * rng.normal(size=(count // 50, _DIM))
    matrix = _around(rng, centres, count, 0.8)
    database = Database(data / "library.sqlite")
    space = vectors.space(database.connection, "bench", _DIM)
    _store(database, space, matrix)
    index = VectorIndex(data, database, space, "a benchmark", shard)
    before, started = _peak(), time.perf_counter()
    index.push()
    seconds, grown = time.perf_counter() - started, _peak() - before
    index.verify()
    near = [_ask(index, matrix, query) for query in _around(rng, centres, _QUERIES, 0.8)]
    far = [_ask(index, matrix, query) for query in _around(rng, 0.3 * centres, _QUERIES, 1.2)]
    index.close()
    database.close()
    recalls = [fmean(recall for recall, _ in answers) for answers in (near, far)]
    milliseconds = median(spent for _, spent in near + far) * 1000
    print(json.dumps([count / seconds, grown, *recalls, milliseconds]))


def _around(
    rng: np.random.Generator, centres: NDArray[np.float64], count: int, noise: float
) -> Vectors:
    """Unit vectors (count, dim), each at one of the centres with some noise."""
    at = centres[rng.integers(0, len(centres), count)]
    matrix = at + noise * rng.normal(size=(count, _DIM))
    units: Vectors = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    return units


def _store(database: Database, space: Space, matrix: Vectors) -> None:
    metadata = Metadata(1, 1, "PNG", 1, 1, "#000000")
    for first in range(0, len(matrix), _BATCH):
        with database.transaction() as connection:
            for number, vector in enumerate(matrix[first : first + _BATCH], first):
                image_id = images.add(connection, b"%016d" % number, metadata)
                vectors.add(connection, space, image_id, vector)


def _ask(index: VectorIndex, matrix: Vectors, query: Vectors) -> tuple[float, float]:
    """The share of the exact answer that is found, and the seconds it took."""
    started = time.perf_counter()
    answer = index.query(query, _NEAREST)
    seconds = time.perf_counter() - started
    exact = np.argpartition(-(matrix @ query), _NEAREST)[:_NEAREST]
    found = {int(content_hash) for content_hash, _ in answer}
    return len(found & set(exact.tolist())) / _NEAREST, seconds


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
