"""Shards: the vector index's collections in an embedded ChromaDB.

Chroma holds the whole HNSW graph of a collection in memory from its first use until the client is
closed. So a space's vectors lie in several collections, and whoever writes to another one than
before closes the client and opens it again: then only one graph is in memory, however many vectors
there are. A query needs all of them, and they stay until then.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import chromadb
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings

from library.chroma import HNSW, Collections, Hits, digest, nearest, purpose
from library.errors import VectorIndexError
from library.vectors import Vectors


class Shards(Collections):
    """The collections of a directory, which is made when it is not there; shards of `size` vectors.

    Raises VectorIndexError when the directory holds anything else.
    """

    def __init__(self, directory: Path, size: int) -> None:
        super().__init__()
        self._directory = directory
        self._size = size
        self._written: str | None = None
        self._pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1), "index-query")
        self._connect()
        if any(purpose(c).get("shard") != size for c in self._collections.values()):
            self.close()
            raise VectorIndexError("the index was made by another version")

    def count(self, name: str) -> int:
        """How many vectors a collection really holds. This loads its graph."""
        with self._lock, self._asking("does not answer"):
            return self._collections[name].count()

    def query(self, space_key: str, vector: Vectors, limit: int) -> Hits:
        """The nearest contents of a space, with cosine similarities, best first."""
        with self._lock, self._asking("does not answer"):
            collections = [self._collections[name] for name in self.of_space(space_key)]
            answers = self._pool.map(lambda c: nearest(c, vector, limit), collections)
            found = dict(hit for answer in answers for hit in answer)
        return sorted(found.items(), key=lambda hit: -hit[1])[:limit]

    def close(self) -> None:
        """Let go of the directory."""
        with self._lock:
            self._pool.shutdown()
            self._client.close()

    def _connect(self) -> None:
        client = chromadb.PersistentClient(
            self._directory, ChromaSettings(anonymized_telemetry=False)
        )
        assert isinstance(client, Client)  # declared as the interface, which cannot be closed
        self._client = client
        self._collections = {str(c.id): c for c in client.list_collections()}

    def _make(self, space_key: str, number: int) -> Collection:
        return self._client.create_collection(
            f"{digest(space_key)}-{number}",
            embedding_function=None,
            configuration={"hnsw": HNSW},
            metadata={"space": space_key, "number": number, "shard": self._size},
        )

    def _remove(self, called: str) -> None:
        self._client.delete_collection(called)

    def _alone(self, name: str) -> Collection:
        """A collection to write to, with no other's graph in memory that was written before."""
        if self._written not in (None, name):
            with self._lock:
                self._client.close()
                self._connect()
        self._written = name
        return self._collections[name]


def forget_failed_client() -> None:
    """Let the next client be a new one: Chroma keeps even one that failed, by its directory."""
    Client.clear_system_cache()
