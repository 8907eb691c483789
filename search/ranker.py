"""Ranker: the pictures nearest to a vector, from the index where it can tell, else exactly."""

from __future__ import annotations

import numpy as np

from library import images
from library.database import Database
from library.keeper import IndexKeeper
from library.matrix import Ids, Matrix, Rows
from library.models import Place, Source
from library.vectors import Vectors
from search import exact
from search.exact import Ranked

SCANNED = 60_000
"""Up to so many vectors a scan is faster than the graph, and exact: `python -m bench search`."""
# Deeper than this an exact scan loses nothing and costs little, while an HNSW graph begins to miss
# neighbours.
_INDEX_DEPTH = 250


class Ranker:
    """Ranks one space. May be called from any thread."""

    def __init__(self, database: Database, matrix: Matrix, keeper: IndexKeeper) -> None:
        self._database = database
        self._matrix = matrix
        self._keeper = keeper

    def rank(
        self, query: Vectors, limit: int, among: Ids | None = None, after: Place | None = None
    ) -> tuple[Ranked, Source]:
        """The `limit` nearest pictures to a (dim,) unit vector, `among` some ids if they are given.

        With `after`, those that the list has behind that place. Pictures whose files are gone, or
        that were forgotten, may be among them.
        """
        rows = self._matrix.rows()
        # Of a list the index knows the beginning only: what it missed there, it might find later.
        # And of what a filter keeps it knows nothing: asked for more, it misses more.
        if after is None and among is None and len(rows) > SCANNED:
            found = self._by_index(rows, query, limit)
            if found is not None:
                return found, "index"
        chosen = None if among is None else rows.of_images(among)
        return exact.rank(rows, query.astype(np.float32), limit, chosen, after), "exact"

    def _by_index(self, rows: Rows, query: Vectors, limit: int) -> Ranked | None:
        """The index's answer with what is newer than the index, or None without a good one."""
        answer = self._keeper.query(query, limit) if limit <= _INDEX_DEPTH else None
        if answer is None:
            return None
        held = rows.before(answer.complete)
        if len(answer.hits) < min(limit, held):  # an HNSW graph may leave some unreachable
            return None
        ids = images.ids_of(self._database.connection, [content for content, _ in answer.hits])
        nearest = np.unique(np.fromiter(ids.values(), np.int64, len(ids)))
        newer = rows.image_ids[held:]
        if len(newer):
            tail = Rows(rows.vector_ids[held:], newer, rows.vectors[held:])
            nearest = np.union1d(nearest, exact.rank(tail, query, limit).image_ids)
        return exact.best(rows, query, rows.of_images(nearest), limit)
