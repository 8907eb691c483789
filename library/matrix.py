"""Matrix: a space's vectors as one array in a file that is mapped into memory.

A copy of what SQLite holds, for scans over all of it: `vectors` (n, dim) float32 in the order of
their ids, and beside it each row's vector id and image id. It is only ever appended to, so several
processes may have it open, and what is mapped stays right; it is checked against the database when
it is opened, and made again when it does not agree. Rows of pictures that were forgotten since stay
until then: whoever ranks rows looks up which pictures there are.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from library import vectors
from library.database import Database
from library.spaces import Space
from library.vectors import VectorRows, Vectors

_PAGE = 5_000
_SAMPLE = 64
_IDS = np.dtype([("vector", "<i8"), ("image", "<i8")])
_DTYPE = np.dtype("<f4")

Ids = NDArray[np.int64]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """The vectors at one moment: (n,), (n,) and (n, dim), in the order of the vectors' ids."""

    vector_ids: Ids
    image_ids: Ids
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.image_ids)

    def of_images(self, image_ids: Ids) -> Ids:
        """The numbers of these pictures' rows, in no order; pictures without a vector have none."""
        if not len(self):
            return np.empty(0, np.int64)
        places = np.searchsorted(self.image_ids, image_ids, sorter=self._by_image)
        found: Ids = self._by_image[np.minimum(places, len(self) - 1)]
        there: Ids = found[self.image_ids[found] == image_ids]
        return there

    @cached_property
    def _by_image(self) -> Ids:
        return np.argsort(self.image_ids, kind="stable")

    def before(self, vector_id: int) -> int:
        """How many rows have a vector id of at most this."""
        return int(np.searchsorted(self.vector_ids, vector_id, side="right"))


class Matrix:
    """The file of one space, made at its first use. `rows` may be called from any thread."""

    def __init__(self, data_dir: Path, database: Database, space: Space) -> None:
        self._folder = data_dir / "matrix"
        self._database = database
        self._space = space
        self._thread_lock = threading.Lock()
        self._rows: Rows | None = None
        self._in_memory = False

    def rows(self) -> Rows:
        """Every vector that the database holds now."""
        with self._thread_lock:
            known = self._rows
            if known is None:
                known = self._opened()
            if vectors.newest(self._database.connection, self._space) > _last(known):
                known = self._grown(known)
            self._rows = known
            return known

    def _opened(self) -> Rows:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                found = self._mapped()
                if found is None or not self._agrees(found):
                    self._discard()
                    found = self._mapped()
            assert found is not None
            return found
        except OSError as error:
            return self._without_file(error, self._empty())

    def _grown(self, known: Rows) -> Rows:
        """Append what the database has and the file has not, which another may be doing, too."""
        if self._in_memory:
            return self._grown_in_memory(known)
        try:
            with self._lock:
                now = self._mapped() or self._empty()
                while (page := self._after(_last(now))).ids:
                    self._append(len(now), page)
                    now = self._mapped() or self._empty()
            return now
        except OSError as error:
            return self._without_file(error, known)

    def _append(self, count: int, page: VectorRows) -> None:
        """Vectors first: what was cut off in between is a row without ids, which nobody sees."""
        with self._vectors_path.open("r+b") as out:
            out.seek(count * self._space.dim * _DTYPE.itemsize)
            out.write(np.ascontiguousarray(page.vectors, _DTYPE).data)
        ids = np.empty(len(page.ids), _IDS)
        ids["vector"], ids["image"] = page.ids, page.image_ids
        with self._ids_path.open("r+b") as out:
            out.seek(count * _IDS.itemsize)
            out.write(ids.data)

    def _mapped(self) -> Rows | None:
        """The files as they are, made when they are not there; None when they make no sense."""
        for path in (self._ids_path, self._vectors_path):
            if not path.exists():
                path.touch()
        count = self._ids_path.stat().st_size // _IDS.itemsize
        shape = (count, self._space.dim)
        if self._vectors_path.stat().st_size < count * self._space.dim * _DTYPE.itemsize:
            return None
        if not count:
            return self._empty()
        ids = np.fromfile(self._ids_path, _IDS, count)
        mapped = np.memmap(self._vectors_path, _DTYPE, "r", shape=shape)
        return Rows(ids["vector"].copy(), ids["image"].copy(), np.asarray(mapped))

    def _agrees(self, rows: Rows) -> bool:
        """Whether the file holds the vectors that the database holds, as far as it goes."""
        connection = self._database.connection
        if vectors.digest(connection, self._space, _last(rows)) != (
            len(rows),
            int(rows.vector_ids.sum()),
        ):
            return False
        for row in np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows)), dtype=np.int64):
            stored = vectors.get(connection, self._space, int(rows.image_ids[row]))
            if stored is None or not np.array_equal(stored, rows.vectors[row]):
                return False
        return True

    def _discard(self) -> None:
        # Unlinked, not truncated: another process may have them mapped.
        self._ids_path.unlink(missing_ok=True)
        self._vectors_path.unlink(missing_ok=True)

    def _without_file(self, error: OSError, known: Rows) -> Rows:
        logger.warning(
            "%s cannot be written (%s): the vectors are held in memory instead",
            self._vectors_path,
            error.strerror or error,
        )
        self._in_memory = True
        return self._grown_in_memory(known)

    def _grown_in_memory(self, known: Rows) -> Rows:
        pages = []
        last = _last(known)
        while (page := self._after(last)).ids:
            pages.append(page)
            last = page.ids[-1]
        return Rows(
            np.concatenate([known.vector_ids, *(np.array(page.ids, np.int64) for page in pages)]),
            np.concatenate(
                [known.image_ids, *(np.array(page.image_ids, np.int64) for page in pages)]
            ),
            np.concatenate([known.vectors, *(page.vectors for page in pages)]),
        )

    def _after(self, vector_id: int) -> VectorRows:
        return vectors.after(self._database.connection, self._space, vector_id, _PAGE)

    def _empty(self) -> Rows:
        none = np.empty(0, np.int64)
        return Rows(none, none, np.empty((0, self._space.dim), np.float32))

    @property
    def _lock(self) -> FileLock:
        return FileLock(self._folder / f"{self._space.id}.lock")

    @property
    def _ids_path(self) -> Path:
        return self._folder / f"{self._space.id}.ids"

    @property
    def _vectors_path(self) -> Path:
        return self._folder / f"{self._space.id}.f32"


def _last(rows: Rows) -> int:
    return int(rows.vector_ids[-1]) if len(rows) else 0
