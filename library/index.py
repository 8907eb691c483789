"""VectorIndex: one space's collection in an embedded ChromaDB; the only file that imports it.

The index is derived: SQLite holds the vectors, and whatever is wrong here is mended by making it
again. An embedded Chroma directory bears only one process, so opening takes a file lock; and since
a process that was killed may leave an index that crashes its reader, a mark lies beside the
directory while it is open, and a mark found at opening has the index checked in a subprocess.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from filelock import FileLock, Timeout

from library import vectors
from library.database import Database
from library.errors import IndexBusyError, VectorIndexError
from library.index_files import IndexFiles
from library.vectors import Space, Vectors

BATCH = 500
_CHECK_SECONDS = 300
# Chosen for recall: docs/architecture.md, "The index".
_HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 16,
    "ef_construction": 200,
    "ef_search": 400,
}


class VectorIndex:
    """The index over one space's vectors, owned by this process until `close`.

    `owner` says in a few words who holds it, for whoever comes second. Raises IndexBusyError when
    another process holds it. A damaged index is thrown away and begins empty: `push` fills it.
    """

    def __init__(self, data_dir: Path, database: Database, space: Space, owner: str) -> None:
        self.space = space
        self._is_sound = True
        self._database = database
        self._files = IndexFiles(data_dir)
        self._lock = FileLock(self._files.lock, timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise IndexBusyError(f"the index is held by {self._files.owner()}") from None
        try:
            self.was_damaged = self._files.mark.exists() and not self._survives_check()
            if self.was_damaged:
                discard(self._files.directory)
            self._files.mark.write_text(f"{owner}, process {os.getpid()}", encoding="utf-8")
            self._client, self._collection = self._open()
        except BaseException:
            self._lock.release()
            raise

    def push(
        self,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda pushed: None,
    ) -> int:
        """Add every vector the index lacks, batch by batch; gives how many were added.

        `progress` is told the number added so far; `stopped` is asked before each batch. Raises
        VectorIndexError when Chroma does not take them; the next opening checks the index then.
        """
        pushed = 0
        name = str(self._collection.id)
        while not stopped():
            rows = vectors.unindexed(self._database.connection, self.space, name, BATCH)
            if not rows.ids:
                break
            # Ids that are there already are left as they are, so a batch that was added but
            # not recorded before a crash does no harm.
            try:
                self._collection.add(
                    ids=[content_hash.hex() for content_hash in rows.content_hashes],
                    embeddings=rows.vectors,
                )
            except Exception as error:  # Chroma passes on whatever SQLite and the disk say
                self._is_sound = False
                raise VectorIndexError(f"the index takes no vectors: {error}") from error
            with self._database.transaction() as connection:
                vectors.set_indexed(connection, name, rows.ids)
            pushed += len(rows.ids)
            progress(pushed)
        return pushed

    def query(self, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        """The nearest pictures as (content hash, cosine similarity), best first.

        Approximate: HNSW. Raises VectorIndexError when the index fails to answer.
        """
        try:
            answer = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
            )
        except Exception as error:  # whatever a damaged index raises, it means "make it again"
            self._is_sound = False
            raise VectorIndexError(f"the index does not answer: {error}") from error
        distances = answer["distances"]
        assert distances is not None
        return [
            (bytes.fromhex(name), 1.0 - distance)
            for name, distance in zip(answer["ids"][0], distances[0], strict=True)
        ]

    def count(self) -> int:
        """How many vectors the index really holds. Raises VectorIndexError as `query` does."""
        try:
            return self._collection.count()
        except Exception as error:
            self._is_sound = False
            raise VectorIndexError(f"the index does not answer: {error}") from error

    def newest(self) -> int:
        """The id of the newest vector that it holds: older ones are all there."""
        return vectors.newest_indexed(self._database.connection, str(self._collection.id))

    def missing(self) -> int:
        """How many vectors it still lacks."""
        return vectors.count_unindexed(
            self._database.connection, self.space, str(self._collection.id)
        )

    def close(self) -> None:
        """Let the next process have it, which checks it first if it failed in our hands."""
        try:
            self._client.close()
            if self._is_sound:
                self._files.mark.unlink(missing_ok=True)
        finally:
            self._lock.release()

    def discard(self) -> None:
        """Give it up as damaged: whoever opens it next begins with an empty one."""
        try:
            self._client.close()
        finally:
            discard(self._files.directory)
            self._files.mark.unlink(missing_ok=True)
            self._lock.release()

    def _open(self) -> tuple[Client, Collection]:
        try:
            client, collection = self._connect()
        except Exception:  # garbage in the directory raises anything at all
            Client.clear_system_cache()  # which keeps the client that failed, for the next call
            discard(self._files.directory)
            self.was_damaged = True
            client, collection = self._connect()
        recorded = vectors.count_indexed(self._database.connection, str(collection.id))
        if collection.count() < recorded:
            self.was_damaged = True
            client.delete_collection(collection.name)
            collection = self._collection_of(client)
        with self._database.transaction() as connection:
            vectors.forget_other_collections(connection, self.space, str(collection.id))
        return client, collection

    def _connect(self) -> tuple[Client, Collection]:
        client = connect(self._files.directory)
        return client, self._collection_of(client)

    def _collection_of(self, client: Client) -> Collection:
        return client.get_or_create_collection(
            collection_name(self.space),
            embedding_function=None,
            configuration={"hnsw": _HNSW},
            metadata={"space": self.space.key},
        )

    def _survives_check(self) -> bool:
        """Ask a subprocess, which may crash in our stead."""
        command = [sys.executable, "-m", "library.index_check"]
        arguments = [
            str(self._files.directory),
            str(self._database.path),
            self.space.key,
            str(self.space.dim),
        ]
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


def connect(directory: Path) -> Client:
    """A client of the embedded ChromaDB in `directory`, which is made when it is not there."""
    client = chromadb.PersistentClient(directory, ChromaSettings(anonymized_telemetry=False))
    assert isinstance(client, Client)  # it is declared as the interface, which cannot be closed
    return client


def collection_name(space: Space) -> str:
    """The name of a space's collection: Chroma allows too few characters for the key itself."""
    return "space-" + hashlib.blake2b(space.key.encode(), digest_size=16).hexdigest()


def discard(directory: Path) -> None:
    """Remove an index that cannot be trusted; everything in it can be made again."""
    if directory.exists():
        broken = directory.with_name(f"chroma.damaged-{os.getpid()}")
        directory.rename(broken)  # at once, so that a half-removed index is never opened
        shutil.rmtree(broken, ignore_errors=True)


def answers_itself(collection: Collection, rows: vectors.VectorRows) -> bool:
    """Whether every one of these vectors finds itself, or an equal, when it is asked for."""
    if not rows.ids:
        return True
    answer = collection.query(query_embeddings=rows.vectors, n_results=1, include=["distances"])
    distances = answer["distances"]
    assert distances is not None
    return all(len(found) == 1 and found[0] < 1e-3 for found in distances)
