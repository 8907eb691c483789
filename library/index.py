"""VectorIndex: one space's vectors in ChromaDB, in step with SQLite, owned by one process.

The index is derived: SQLite holds the vectors, and whatever is wrong here is mended by making it
again. An embedded Chroma directory bears only one process, so opening takes a file lock; and since
a process that was killed may leave an index that crashes its reader, a mark lies beside the
directory while it is open, and a mark found at opening has the index checked in a subprocess.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from library import indexed, vectors
from library.chroma import Shards, forget_failed_client
from library.database import Database
from library.errors import IndexBusyError
from library.index_files import IndexFiles
from library.vectors import Space, Vectors

SHARD = 10_000
"""Vector ids a shard, chosen by measuring: docs/architecture.md, "The index"."""
BATCH = 500
_CHECK_SECONDS = 300


class VectorIndex:
    """The index over one space's vectors, owned by this process until `close`.

    The vector with id n lies in shard n // `shard`, of which one at a time is in memory while the
    index is only pushed to; a query loads all. `owner` says in a few words who holds it, for
    whoever comes second. Queries and counts may come from any thread, everything else from one at
    a time. Raises IndexBusyError when another process holds it. What is damaged is thrown away,
    and `push` fills it again.
    """

    def __init__(
        self, data_dir: Path, database: Database, space: Space, owner: str, shard: int = SHARD
    ) -> None:
        self.space = space
        self.was_damaged = False
        self._shard = shard
        self._database = database
        self._files = IndexFiles(data_dir)
        self._whole: set[str] = set()
        self._complete = 0
        self._lock = FileLock(self._files.lock, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise IndexBusyError(f"the index is held by {self._files.owner()}") from None
        try:
            if self._files.mark.exists() and not self._survives_check():
                self._throw_away()
            self._files.mark.write_text(f"{owner}, process {os.getpid()}", encoding="utf-8")
            self._shards = self._open()
        except BaseException:
            self._lock.release()
            raise

    def push(
        self,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda pushed: None,
    ) -> int:
        """Take out what was forgotten and add every vector the index lacks, batch by batch.

        Gives how many vectors that were; `progress` is told the number so far, and `stopped` is
        asked before each batch. Called again it goes on where it was: with nothing to do it costs
        three look-ups. Raises VectorIndexError when Chroma fails at it; the next opening checks
        the index then.
        """
        pushed = 0
        while not stopped():
            unwanted = indexed.unwanted(self._database.connection, BATCH)
            if unwanted:
                pushed += self._take_out(*unwanted)
            elif (lacking := self._first_lacking()) is not None:
                pushed += self._add(lacking)
            else:
                break
            progress(pushed)
        return pushed

    def query(self, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        """The nearest pictures as (content hash, cosine similarity), best first.

        Approximate: HNSW. A picture that was forgotten since the last push may be among them.
        Raises VectorIndexError when the index fails to answer.
        """
        return self._shards.query(self.space.key, vector, limit)

    def count(self) -> int:
        """How many vectors the index really holds. Raises VectorIndexError as `query` does."""
        return sum(map(self._shards.count, self._shards.of_space(self.space.key)))

    def newest(self) -> int:
        """The id up to which it is recorded to hold every vector."""
        lacking = self._first_lacking()
        return self._complete if lacking is None else lacking - 1

    def missing(self) -> int:
        """How many vectors `push` still has to add or take out."""
        connection = self._database.connection
        lacking = indexed.count_lacking(connection, self.space, self._complete + 1)
        return lacking + indexed.count_unwanted(connection)

    def verify(self) -> None:
        """Load every shard and count it; what does not hold what is recorded is `missing` then."""
        for name in self._shards.of_space(self.space.key):
            if not self._agrees(name, self._shards.count(name)):
                self._drop(name)

    def close(self) -> None:
        """Let the next process have it, which checks it first if it failed in our hands."""
        try:
            self._shards.close()
            if self._shards.is_sound:
                self._files.mark.unlink(missing_ok=True)
        finally:
            self._lock.release()

    def discard(self) -> None:
        """Give it up as damaged: whoever opens it next begins with an empty one."""
        try:
            self._shards.close()
        finally:
            self._files.discard()
            self._files.mark.unlink(missing_ok=True)
            self._lock.release()

    def _take_out(self, name: str, content_hashes: list[bytes]) -> int:
        self._shards.remove(name, content_hashes)
        with self._database.transaction() as connection:
            indexed.set_removed(connection, name, content_hashes)
        self._complete = 0  # what came back meanwhile lies anywhere
        return len(content_hashes)

    def _first_lacking(self) -> int | None:
        """The id of the oldest vector that it lacks; past what it holds it looks only once."""
        connection = self._database.connection
        newest = vectors.newest(connection, self.space)  # first: the search may not see later ones
        lacking = indexed.first_lacking(connection, self.space, self._complete)
        self._complete = max(self._complete, newest) if lacking is None else lacking - 1
        return lacking

    def _add(self, first: int) -> int:
        """Add a batch to a shard. Contents that are there already are left as they are."""
        number = first // self._shard
        name = self._writable(number)
        end = (number + 1) * self._shard
        rows = indexed.lacking(self._database.connection, self.space, first, end, BATCH)
        if rows.ids:  # else they were forgotten since
            self._shards.add(name, rows.content_hashes, rows.vectors)
            with self._database.transaction() as connection:
                indexed.record(connection, name, rows)
        return len(rows.ids)

    def _writable(self, number: int) -> str:
        """The collection of a shard, made anew when it does not hold what is recorded."""
        name = self._shards.find(self.space.key, number)
        if name in self._whole:
            return name
        if name and not self._agrees(name, self._shards.count_alone(name)):
            self._drop(name)
            name = None
        name = name or self._shards.create(self.space.key, number)
        self._whole.add(name)
        return name

    def _agrees(self, name: str, holds: int) -> bool:
        """Whether a shard may hold so many: what is recorded, and what a crash left unrecorded."""
        connection = self._database.connection
        first = self._shards.number(name) * self._shard
        recorded = indexed.count(connection, name)
        unrecorded = indexed.count_lacking(connection, self.space, first, first + self._shard)
        unwanted = indexed.count_unwanted(connection, name)
        return recorded <= holds <= recorded + unrecorded + unwanted

    def _drop(self, name: str) -> None:
        self.was_damaged = True
        self._shards.drop(name)
        self._forget({name})
        self._complete = 0

    def _throw_away(self) -> None:
        self.was_damaged = True
        self._files.discard()

    def _open(self) -> Shards:
        try:
            shards = Shards(self._files.directory, self._shard)
        except Exception:  # garbage in the directory raises anything at all
            forget_failed_client()
            self._throw_away()
            shards = Shards(self._files.directory, self._shard)
        self._forget(indexed.collections(self._database.connection) - shards.all().keys())
        return shards

    def _forget(self, names: set[str]) -> None:
        if names:
            with self._database.transaction() as connection:
                indexed.forget_collections(connection, names)

    def _survives_check(self) -> bool:
        """Ask a subprocess, which may crash in our stead."""
        command = [sys.executable, "-m", "library.index_check"]
        arguments = [str(self._files.directory), str(self._database.path), str(self._shard)]
        try:
            done = subprocess.run(
                [*command, *arguments],
                cwd=Path(__file__).parent.parent,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_CHECK_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
