"""IndexKeeper: owns the vector index for the site and keeps it in step with SQLite."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from library import indexed, vectors
from library.database import Database
from library.errors import IndexBusyError, IndexUnreachableError, VectorIndexError
from library.index_files import IndexFiles
from library.models import IndexState
from library.spaces import Space
from library.vectors import Vectors

if TYPE_CHECKING:
    from library.index import VectorIndex

_LOOK_SECONDS = 1.0
# A disk that is full stays so for a while: each failure in a row doubles the pause.
_LONGEST_PAUSE = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """The nearest of the vectors with an id up to `complete`; of newer ones any may be missing."""

    hits: list[tuple[bytes, float]]
    """Content hashes with cosine similarities, best first."""
    complete: int


class IndexKeeper:
    """A thread that opens the index, pushes what it lacks, and looks for more every second.

    While the index holds nothing that can be trusted, `query` gives None and an exact scan has to
    answer.
    """

    def __init__(
        self, data_dir: Path, database: Database, space: Space, server: str | None = None
    ) -> None:
        self._data_dir = data_dir
        self._server = server
        self.state: IndexState = "closed"
        self._database = database
        self._space = space
        self._index: VectorIndex | None = None
        self._newest = 0
        self._complete = 0
        self.left = 0
        """How many vectors there still were to push when that was last counted."""
        self._stop = threading.Event()
        self._failed: Literal["unreachable", "damaged"] | None = None
        self._thread = threading.Thread(target=self._run, name="index-keeper", daemon=True)

    def start(self) -> None:
        """Begin; returns at once, the index is opened behind."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and close the index cleanly."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def rebuild(self) -> None:
        """Throw the index away and make it again, behind; an exact scan answers meanwhile."""
        self._complete = 0
        self._failed = "damaged"

    def query(self, vector: Vectors, limit: int) -> IndexAnswer | None:
        """As VectorIndex.query; None while the index cannot be trusted, or holds nothing."""
        index, complete = self._index, self._complete
        if index is None or not complete:
            return None
        try:
            return IndexAnswer(index.query(vector, limit), complete)
        except VectorIndexError as error:
            self._give_up(error)
            return None

    def count(self) -> int | None:
        """How many vectors the index really holds, or None while nobody can say."""
        index = self._index
        try:
            return None if index is None else index.count()
        except VectorIndexError as error:
            self._give_up(error)
            return None

    @property
    def owner(self) -> str:
        """Who holds the index, in words."""
        return IndexFiles(self._data_dir).owner()

    def _run(self) -> None:
        try:
            failures = 0
            while not self._stop.is_set():
                failures = 0 if self._try_to_keep_up() else failures + 1
                self._stop.wait(min(_LONGEST_PAUSE, _LOOK_SECONDS * 2 ** min(failures, 6)))
        finally:
            self._complete = 0
            if self._index is not None:
                self._index.close()
            self._index = None
            self.state = "closed"

    def _try_to_keep_up(self) -> bool:
        """False when the index failed. A broken index must never take the site down with it."""
        try:
            self._keep_up()
        except IndexBusyError:
            self.state = "busy"
        except VectorIndexError as error:
            self._give_up(error)
            return False
        except Exception:
            logger.exception("the index failed; it will be made again")
            self._failed = "damaged"
            return False
        return True

    def _give_up(self, error: VectorIndexError) -> None:
        """Have the thread make the index again, or look for its server, at its next look."""
        self._complete = 0
        if isinstance(error, IndexUnreachableError):
            logger.warning("%s; it will be asked again", error)
            self._failed = self.state = "unreachable"
        else:
            logger.warning("%s; it will be made again", error)
            self._failed = "damaged"

    def _keep_up(self) -> None:
        if self._failed is not None and self._index is not None:
            self._part_with(self._index, self._failed)
        if self._index is None:
            if self.state != "unreachable":  # which it is until it has answered
                self.state = "checking"
            self._failed = None
            # Here, in the thread: importing chromadb takes longer than starting the site.
            from library.index import VectorIndex

            self._index = VectorIndex(
                self._data_dir,
                self._database,
                self._space,
                "the site",
                asked=True,
                server=self._server,
            )
            self._newest = self._index.newest()
            self.state = "rebuilding" if self._newest == 0 else "behind"
            self._index.verify()  # here, so that no search has to wait for a graph
            self._complete = self._index.answers_to()
        if self.state != "current" or self._is_behind():
            self.state = "rebuilding" if self._newest == 0 else "behind"
            missing = self._index.missing()
            self._index.push(self._stop.is_set, lambda pushed: self._count(missing - pushed))
            self._newest = self._index.newest()
            self._complete = self._index.answers_to()
            if not self._index.missing():
                self.state = "current"

    def _count(self, left: int) -> None:
        self.left = max(0, left)

    def _part_with(self, index: VectorIndex, failed: Literal["unreachable", "damaged"]) -> None:
        self._index = self._failed = None
        self._complete = 0
        if failed == "unreachable":
            self.state = "unreachable"
            index.close()
        else:
            self.state = "rebuilding"
            index.discard()

    def _is_behind(self) -> bool:
        connection = self._database.connection
        newer = vectors.newest(connection, self._space) > self._newest
        return newer or indexed.count_unwanted(connection) > 0
