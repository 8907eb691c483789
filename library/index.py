"""VectorIndex: one space's vectors in ChromaDB, in step with SQLite, owned by one process.

The index is derived: SQLite holds the vectors, and whatever is wrong here is mended by making it
again. Opening takes a file lock: an embedded Chroma directory bears only one process, and a
collection on a server only one that writes to it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from library import indexed, vectors
from library.chroma import GRAPH, Hits
from library.database import Database
from library.errors import IndexBusyError
from library.index_directory import IndexDirectory
from library.index_files import IndexFiles
from library.index_server import IndexServer
from library.spaces import Space
from library.vectors import Vectors

SHARD = 10_000
"""Vector ids a shard, chosen by measuring: docs/architecture.md, "The index"."""
BATCH = 500
# Taking vectors out may cut a graph: after so many, or that part of it, a sample is asked for.
_CHECK_AFTER, _CHECK_PART = 1_000, 0.05
_SAMPLE = 100


class VectorIndex:
    """The index over one space's vectors, owned by this process until `close`.

    Whoever only fills it (`asked` is false) puts the vector with id n into shard n // `shard`, and
    has one shard at a time in memory. Whoever asks it has one graph, which answers as fast as a
    single shard does: it adds to that, and moves into it what it finds in shards. On the Chroma
    server at `server`, if one is given, there is that graph alone. `owner` says in
    a few words who holds it, for whoever comes second. Queries and counts may come from any thread,
    everything else from one at a time. Raises IndexBusyError when another process holds it, and
    IndexUnreachableError, as its methods do, when the server does not answer. What is damaged is
    thrown away, and `push` fills it again.
    """

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        space: Space,
        owner: str,
        shard: int = SHARD,
        *,
        asked: bool = False,
        server: str | None = None,
    ) -> None:
        self.space = space
        self._asked = asked or server is not None
        self._shard = shard
        self._database = database
        files = IndexFiles(data_dir)
        self._home: IndexDirectory | IndexServer = IndexDirectory(files, database, shard)
        if server is not None:
            self._home = IndexServer(server, files, database, space)
        self._whole: set[str] = set()
        self._complete = 0
        self._taken_out = 0
        self._lock = FileLock(files.lock, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise IndexBusyError(f"the index is held by {files.owner()}") from None
        try:
            self._collections = self._home.open(owner)
            self.was_damaged = self._home.was_damaged
            self._forget(indexed.collections(database.connection) - self._collections.all().keys())
        except BaseException:
            self._lock.release()
            raise

    def push(
        self,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda pushed: None,
    ) -> int:
        """Take out what was forgotten and add every vector the index lacks, batch by batch.

        Gives how many vectors were added, moved or taken out; `progress` is told the number so far,
        and `stopped` is asked before each batch. Called again it goes on where it was: with nothing
        to do it costs a few look-ups. Raises VectorIndexError when Chroma fails at it; the next
        opening checks the index then.
        """
        pushed = 0
        while not stopped():
            if unwanted := self._unwanted():
                pushed += self._take_out(*unwanted)
            elif (lacking := self._first_lacking()) is not None:
                pushed += self._add(lacking)
            elif self._asked and (shards := self._of_shards()):
                pushed += self._move(shards[0])
            else:
                break
            progress(pushed)
        return pushed

    def query(self, vector: Vectors, limit: int) -> Hits:
        """The nearest pictures as (content hash, cosine similarity), best first.

        Approximate: HNSW. A picture that was forgotten since the last push may be among them.
        Raises VectorIndexError when the index fails to answer.
        """
        return self._collections.query(self.space.key, vector, limit)

    def collections(self) -> list[str]:
        """The UUIDs of the collections that queries go to."""
        return self._collections.of_space(self.space.key)

    def count(self) -> int:
        """How many vectors the index really holds. Raises VectorIndexError as `query` does."""
        return sum(map(self._collections.count, self._collections.of_space(self.space.key)))

    def newest(self) -> int:
        """The id up to which it is recorded to hold every vector."""
        lacking = self._first_lacking()
        return self._complete if lacking is None else lacking - 1

    def answers_to(self) -> int:
        """The id up to which a query finds every vector fast: 0 while any lie in shards."""
        return 0 if self._of_shards() else self.newest()

    def missing(self) -> int:
        """How many vectors `push` still has to add, move or take out."""
        connection = self._database.connection
        lacking = indexed.count_lacking(connection, self.space, self._complete + 1)
        mine = self._mine()
        unwanted = sum(indexed.count_unwanted(connection, name) for name in mine)
        shards = [name for name in self._collections.of_space(self.space.key) if name not in mine]
        to_move = sum(indexed.count(connection, name) for name in shards) if self._asked else 0
        return lacking + to_move + unwanted

    def verify(self) -> None:
        """Load what queries go to and count it; what it lacks is `missing` then.

        What is moved out of shards comes from the database: those are not even looked at.
        """
        names = self._collections.of_space(self.space.key)
        mine = self._mine()
        for name in names:
            if self._asked and name not in mine:
                continue
            if not self._agrees(name, self._collections.count(name)):
                self._drop(name)

    def close(self) -> None:
        """Let the next process have it, which checks it first if it failed in our hands."""
        try:
            self._home.close(self._collections)
        finally:
            self._lock.release()

    def discard(self) -> None:
        """Give it up as damaged: whoever opens it next begins with an empty one."""
        try:
            self._home.discard(self._collections)
        finally:
            self._lock.release()

    def _of_shards(self) -> list[str]:
        """The collections of the space that are shards, in the order of their numbers."""
        names = self._collections.of_space(self.space.key)
        return sorted(
            (name for name in names if self._collections.number(name) != GRAPH),
            key=self._collections.number,
        )

    def _mine(self) -> list[str]:
        """The collections that this owner writes to; the graph is large, and shards are to go."""
        return [
            name
            for name in self._collections.all()
            if (self._collections.number(name) == GRAPH) == self._asked
        ]

    def _unwanted(self) -> tuple[str, list[bytes]] | None:
        connection = self._database.connection
        for name in self._mine():
            if found := indexed.unwanted(connection, name, BATCH):
                return name, found
        return None

    def _take_out(self, name: str, content_hashes: list[bytes]) -> int:
        self._collections.remove(name, content_hashes)
        with self._database.transaction() as connection:
            indexed.set_removed(connection, name, content_hashes)
        self._complete = 0  # what came back meanwhile lies anywhere
        self._taken_out += len(content_hashes)
        if self._taken_out >= max(_CHECK_AFTER, _CHECK_PART * indexed.count(connection, name)):
            self._taken_out = 0
            if name in self.collections():
                self._check(name)
        return len(content_hashes)

    def _check(self, name: str) -> None:
        """Drop a collection that has lost the way to some of its vectors."""
        sample = indexed.sample(self._database.connection, self.space, name, _SAMPLE)
        if not self._collections.find_themselves(name, sample.vectors):
            self._drop(name)

    def _move(self, shard: str) -> int:
        """Move a batch from a shard into the graph; a shard that is empty goes."""
        rows = indexed.held(self._database.connection, self.space, shard, BATCH)
        if rows.ids:
            graph = self._writable(GRAPH)
            self._collections.add(graph, rows.content_hashes, rows.vectors)
            with self._database.transaction() as connection:
                indexed.move(connection, shard, graph, rows)
        else:
            self._collections.drop(shard)
            self._forget({shard})
        return len(rows.ids)

    def _first_lacking(self) -> int | None:
        """The id of the oldest vector that it lacks; past what it holds it looks only once."""
        connection = self._database.connection
        newest = vectors.newest(connection, self.space)  # first: the search may not see later ones
        lacking = indexed.first_lacking(connection, self.space, self._complete)
        self._complete = max(self._complete, newest) if lacking is None else lacking - 1
        return lacking

    def _add(self, first: int) -> int:
        """Add a batch where it belongs. Contents that are there already are left as they are."""
        number = GRAPH if self._asked else first // self._shard
        name = self._writable(number)
        _, end = self._range(number)
        rows = indexed.lacking(self._database.connection, self.space, first, end, BATCH)
        if rows.ids:  # else they were forgotten since
            self._collections.add(name, rows.content_hashes, rows.vectors)
            with self._database.transaction() as connection:
                indexed.record(connection, name, rows)
        return len(rows.ids)

    def _writable(self, number: int) -> str:
        """The graph or a shard, made anew when it does not hold what is recorded."""
        name = self._collections.find(self.space.key, number)
        if name in self._whole:
            return name
        if name and not self._agrees(name, self._collections.count_alone(name)):
            self._drop(name)
            name = None
        name = name or self._collections.create(self.space.key, number)
        self._whole.add(name)
        return name

    def _agrees(self, name: str, holds: int) -> bool:
        """Whether a collection may hold so many: what is recorded, and what a crash left there."""
        connection = self._database.connection
        first, end = self._range(self._collections.number(name))
        recorded = indexed.count(connection, name)
        most = vectors.count(connection, self.space, first, end)
        return recorded <= holds <= most + indexed.count_unwanted(connection, name)

    def _range(self, number: int) -> tuple[int, int]:
        """The ids of the vectors that belong into a collection, the last one excluded."""
        if number == GRAPH:
            return 0, vectors.newest(self._database.connection, self.space) + 1
        return number * self._shard, (number + 1) * self._shard

    def _drop(self, name: str) -> None:
        self.was_damaged = True
        self._collections.drop(name)
        self._forget({name})
        self._complete = 0

    def _forget(self, names: set[str]) -> None:
        if names:
            with self._database.transaction() as connection:
                indexed.forget_collections(connection, names)
