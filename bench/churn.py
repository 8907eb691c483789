"""Churn: what deleting and adding again and again does to the index's answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from bench import clusters
from bench.table import table
from library import images, spaces, vectors
from library.database import Database
from library.index import VectorIndex
from library.matrix import Ids
from library.models import Metadata
from library.prune import forget_pictures
from library.spaces import Space
from library.vectors import Vectors

_VECTORS, _CHANGED, _ROUNDS, _EVERY = 20_000, 2_000, 20, 5
_DIM, _NEAREST, _QUERIES = 512, 50, 100
_METADATA = Metadata(1, 1, "PNG", 1, 1, "#000000")


def churn_section(work: Path) -> str:
    """Replace a tenth of an index, round by round, and ask it."""
    data = work / "library-of-churn"
    shutil.rmtree(data, ignore_errors=True)
    with closing(Database(data / "library.sqlite")) as database:
        space = spaces.space(database.connection, "bench", _DIM)
        rows = list(_rounds(data, database, space))
    shutil.rmtree(data)
    return (
        "## Churn\n\n"
        f"{_VECTORS:,} vectors of {_DIM} dimensions in the site's graph. In each round a tenth of\n"
        "them, drawn by lot, is forgotten and as many others are added. Recall is of the nearest\n"
        f"{_NEAREST} against a scan of what is there, the mean of {_QUERIES} queries.\n\n"
        f"{table(('rounds', 'recall@50', 'graphs made so far'), rows)}\n"
    )


def _rounds(data: Path, database: Database, space: Space) -> Iterator[list[str]]:
    rng = np.random.default_rng(0)
    centres = clusters.centres(rng, _VECTORS, _DIM)
    queries = clusters.around(rng, centres, _QUERIES, clusters.NOISE)
    matrix = clusters.around(rng, centres, _VECTORS, clusters.NOISE)
    numbers = np.arange(_VECTORS)
    _add(database, space, numbers, matrix)
    index = VectorIndex(data, database, space, "a benchmark", asked=True)
    graphs = set()
    try:
        for number in range(_ROUNDS + 1):
            index.push()
            graphs.add(tuple(index.collections()))
            if number % _EVERY == 0:
                recall = np.mean([_recall(index, numbers, matrix, query) for query in queries])
                yield [str(number), f"{recall:.4f}", str(len(graphs))]
            gone = rng.choice(_VECTORS, _CHANGED, replace=False)
            _forget(database, numbers[gone])
            numbers[gone] = np.arange(_CHANGED) + _VECTORS + number * _CHANGED
            matrix[gone] = clusters.around(rng, centres, _CHANGED, clusters.NOISE)
            _add(database, space, numbers[gone], matrix[gone])
    finally:
        index.close()


def _content(number: int) -> bytes:
    return b"%016d" % number


def _add(database: Database, space: Space, numbers: Ids, matrix: Vectors) -> None:
    with database.transaction() as connection:
        for number, vector in zip(numbers.tolist(), matrix, strict=True):
            image_id = images.add(connection, _content(number), _METADATA)
            vectors.add(connection, space, image_id, vector)


def _forget(database: Database, numbers: Ids) -> None:
    with database.transaction() as connection:
        ids = images.ids_of(connection, [_content(number) for number in numbers.tolist()])
        forget_pictures(connection, list(ids.values()))


def _recall(index: VectorIndex, numbers: Ids, matrix: Vectors, query: Vectors) -> float:
    exact = np.argpartition(-(matrix @ query), _NEAREST)[:_NEAREST]
    found = {int(content_hash) for content_hash, _ in index.query(query, _NEAREST)}
    return len(found & set(numbers[exact].tolist())) / _NEAREST
