"""ExactScan: cosine similarity of a query with every vector of a space, from a cached matrix."""

from __future__ import annotations

import threading

import numpy as np

from library import vectors
from library.database import Database
from library.vectors import Space, Vectors

_PAGE = 10_000


class ExactScan:
    """The space's vectors in memory, (n, dim) float32, grown by what SQLite has new.

    Loaded at the first use: while the index answers, it costs nothing. Thread-safe.
    """

    def __init__(self, database: Database, space: Space) -> None:
        self._database = database
        self._space = space
        self._lock = threading.Lock()
        self._matrix: Vectors = np.empty((0, space.dim), np.float32)
        self._image_ids = np.empty(0, np.int64)
        self._count = 0
        self._last_id = 0

    def rank(self, query: Vectors, limit: int) -> list[tuple[int, float]]:
        """The `limit` nearest pictures to a (dim,) unit vector: (image id, cosine), best first."""
        with self._lock:
            self._refresh()
            # Rows are only ever added behind these, so the views stay right without the lock.
            matrix, image_ids = self._matrix[: self._count], self._image_ids[: self._count]
        scores = matrix @ query.astype(np.float32)
        if limit < len(scores):
            nearest = np.argpartition(-scores, limit - 1)[:limit]
        else:
            nearest = np.arange(len(scores))
        order = nearest[np.lexsort((image_ids[nearest], -scores[nearest]))]
        return [(int(image_ids[row]), float(scores[row])) for row in order]

    def _refresh(self) -> None:
        connection = self._database.connection
        while rows := vectors.after(connection, self._space, self._last_id, _PAGE):
            if not rows.ids:
                break
            self._reserve(self._count + len(rows.ids))
            end = self._count + len(rows.ids)
            self._matrix[self._count : end] = rows.vectors
            self._image_ids[self._count : end] = rows.image_ids
            self._count = end
            self._last_id = rows.ids[-1]

    def _reserve(self, rows: int) -> None:
        if rows <= len(self._matrix):
            return
        room = max(rows, len(self._matrix) * 3 // 2)
        matrix = np.empty((room, self._space.dim), np.float32)
        matrix[: self._count] = self._matrix[: self._count]
        image_ids = np.empty(room, np.int64)
        image_ids[: self._count] = self._image_ids[: self._count]
        self._matrix, self._image_ids = matrix, image_ids
