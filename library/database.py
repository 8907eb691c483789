"""SQLite: one connection a thread, WAL, foreign keys, explicit transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from library.errors import DatabaseError
from library.migrations import migrate
from library.remedy import remedy

BUSY_TIMEOUT_SECONDS = 30.0
# Of a library made now; one that is there keeps its own. A vector of 512 dimensions is 2 KB, and of
# SQLite's 4096 bytes a page one such row leaves half empty: `python -m bench rows`.
PAGE_BYTES = 16_384


class Database:
    """The library's system of record, at `path`; made and migrated when it is opened.

    Safe to share between threads: each gets a connection of its own. Raises DatabaseError when
    the file cannot be opened or is no database, SchemaTooNewError when a newer version made it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = self.connection
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise DatabaseError(
                f"cannot open the library's database {path}: {error}{remedy(error)}"
            ) from error
        except BaseException:
            self.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode outside `transaction`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path,
                timeout=BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # close() is called from another thread
            )
            with self._lock:
                self._connections.append(connection)  # first, so that a failure below leaks nothing
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed at the end of the block, rolled back on any exception.

        Raises DatabaseError when SQLite cannot carry it out, for want of room for example.
        """
        connection = self.connection
        with self.in_words():
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite ends it by itself when the disk is full
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """What the disk or damage keep SQLite from is a DatabaseError that says what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
                raise  # a mistake of ours
            raise DatabaseError(f"cannot work with {self.path}: {error}{remedy(error)}") from error

    def close(self) -> None:
        """Close every thread's connection. No thread may use the database afterwards."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()
