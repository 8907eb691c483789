"""Vectors in SQLite -> ChromaDB, behind the crawl, when no other process holds the index."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from crawler.progress import Meter, Report
from library import indexed
from library.database import Database
from library.errors import IndexBusyError, VectorIndexError
from library.index_files import IndexFiles
from library.remedy import remedy
from library.spaces import Space

ENOUGH = 500
"""New vectors that are worth a push: Chroma takes them by the batch."""


class IndexFeeder:
    """Brings the index in step with SQLite, in a thread that the crawl waits for at its end only.

    As a context manager: leaving it pushes the rest and reports that as the stage "index". What
    the index does not take is safe in the database, and `note` says why it was not taken.
    """

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        space: Space,
        report: Report,
        cancelled: Callable[[], bool],
        server: str | None = None,
    ) -> None:
        self.note: str | None = None
        self._data_dir = data_dir
        self._database = database
        self._space = space
        self._report = report
        self._cancelled = cancelled
        self._server = server
        self._waiting = 0
        self._ended = self._failed = False
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="index-feeder")

    def __enter__(self) -> IndexFeeder:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._changed:
            self._ended, self._failed = True, kind is not None
            self._changed.notify()
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def committed(self, vectors: int) -> None:
        """So many more vectors are in the database. Never waits."""
        with self._changed:
            self._waiting += vectors
            self._changed.notify()

    def _run(self) -> None:
        try:
            self._feed()
        except IndexBusyError as error:
            self.note = f"{error}, which adds the new pictures to it"
        except VectorIndexError as error:
            where = self._server or IndexFiles(self._data_dir).directory
            self.note = (
                f"{error} ({where}); the vectors are safe in the database, "
                f"the next crawl tries again{remedy(error)}"
            )
        except BaseException as error:  # a full disk, say: raised where the crawl ends
            self._error = error

    def _feed(self) -> None:
        if not self._wait_for(1) and self._has_nothing_to_do():
            return
        # A second, which a crawl with nothing to do need not pay.
        from library.index import VectorIndex

        index = VectorIndex(
            self._data_dir, self._database, self._space, "a crawl", server=self._server
        )
        try:
            while self._wait_for(ENOUGH):
                index.push(self._is_stopped)
            meter = Meter("index", index.missing(), self._report)
            index.push(self._is_stopped, meter.reach)
            meter.end()
        finally:
            index.close()

    def _wait_for(self, vectors: int) -> bool:
        """Wait until so many vectors are there to be pushed; False at the crawl's end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting >= vectors)
            if vectors >= ENOUGH:
                self._waiting = 0
            return not self._ended

    def _has_nothing_to_do(self) -> bool:
        """An index that was closed in good order and lacks nothing need not be opened.

        What became of one on a server is not known before.
        """
        if self._failed or self._waiting or self._server is not None:
            return self._failed
        connection = self._database.connection
        lacks = indexed.first_lacking(connection, self._space, 0)
        unwanted = indexed.count_unwanted(connection)
        return IndexFiles(self._data_dir).were_closed() and not (lacks or unwanted)

    def _is_stopped(self) -> bool:
        return self._failed or self._cancelled()


class NoFeeder:
    """In the place of an IndexFeeder where somebody else feeds the index."""

    note = None

    def __enter__(self) -> NoFeeder:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def committed(self, vectors: int) -> None:
        """Nothing has to be done: who owns the index looks for new vectors."""
