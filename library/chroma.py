"""Shards: the vector index's collections in an embedded ChromaDB; the only file that imports it.

Chroma holds the whole HNSW graph of a collection in memory from its first use until the client is
closed. So a space's vectors lie in several collections, and whoever writes to another one than
before closes the client and opens it again: then only one graph is in memory, however many vectors
there are. A query needs all of them, and they stay until then.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings

from library.errors import VectorIndexError
from library.vectors import Vectors

# Chosen for recall; the threshold, for what an opening has to do again: docs/architecture.md.
_HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 16,
    "ef_construction": 200,
    "ef_search": 400,
    "sync_threshold": 100,
}
_SELF_DISTANCE = 1e-3


class Shards:
    """The collections of a directory, which is made when it is not there; by Chroma's UUIDs.

    Each is for one space and a number, of shards of `size` vectors. Raises VectorIndexError when
    the directory holds anything else. Queries and counts may come from any thread, all that writes
    from one at a time. `is_sound` tells that Chroma did everything it was asked for.
    """

    def __init__(self, directory: Path, size: int) -> None:
        self.is_sound = True
        self._directory = directory
        self._size = size
        self._written: str | None = None
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1), "index-query")
        self._connect()
        if any(_purpose(c).get("shard") != size for c in self._collections.values()):
            self.close()
            raise VectorIndexError("the index was made by another version")

    def all(self) -> dict[str, str]:
        """The key of the space that each collection is for."""
        return {name: str(_purpose(c)["space"]) for name, c in self._collections.items()}

    def of_space(self, space_key: str) -> list[str]:
        """The collections that a space's vectors lie in."""
        return [name for name, key in self.all().items() if key == space_key]

    def find(self, space_key: str, number: int) -> str | None:
        """The collection for a space's shard of this number, or None."""
        of_space = self.of_space(space_key)
        return next((name for name in of_space if self.number(name) == number), None)

    def number(self, name: str) -> int:
        """The number of the shard that a collection is for."""
        return int(str(_purpose(self._collections[name])["number"]))

    def create(self, space_key: str, number: int) -> str:
        """Make the collection for a space's shard of this number, which must not be there."""
        digest = hashlib.blake2b(space_key.encode(), digest_size=16).hexdigest()
        with self._lock, self._asking("takes no vectors"):
            collection = self._client.create_collection(
                f"{digest}-{number}",  # Chroma allows too few characters for the key itself
                embedding_function=None,
                configuration={"hnsw": _HNSW},
                metadata={"space": space_key, "number": number, "shard": self._size},
            )
            self._collections[str(collection.id)] = collection
        return str(collection.id)

    def drop(self, name: str) -> None:
        """Remove a collection with all it holds."""
        with self._lock, self._asking("does not answer"):
            self._client.delete_collection(self._collections.pop(name).name)

    def add(self, name: str, content_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Add vectors (n, dim), at most 5,000; contents that are there already stay as they are."""
        with self._asking("takes no vectors"):
            self._alone(name).add(ids=_ids(content_hashes), embeddings=vectors)

    def remove(self, name: str, content_hashes: Sequence[bytes]) -> None:
        """Take contents out, at most 5,000, whether they are there or not."""
        with self._asking("gives no vectors up"):
            self._alone(name).delete(ids=_ids(content_hashes))

    def count(self, name: str) -> int:
        """How many vectors a collection really holds. This loads its graph."""
        with self._lock, self._asking("does not answer"):
            return self._collections[name].count()

    def count_alone(self, name: str) -> int:
        """As `count`, for a collection that is about to be written to."""
        with self._asking("does not answer"):
            return self._alone(name).count()

    def query(self, space_key: str, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
        """The nearest contents of a space, with cosine similarities, best first."""
        with self._lock, self._asking("does not answer"):
            collections = [self._collections[name] for name in self.of_space(space_key)]
            answers = self._pool.map(lambda c: _nearest(c, vector, limit), collections)
            found = dict(hit for answer in answers for hit in answer)
        return sorted(found.items(), key=lambda hit: -hit[1])[:limit]

    def find_themselves(self, name: str, vectors: Vectors) -> bool:
        """Whether each of these vectors (n, dim), or an equal, is found when it is asked for."""
        if not len(vectors):
            return True
        answer = self._alone(name).query(
            query_embeddings=vectors, n_results=1, include=["distances"]
        )
        distances = answer["distances"]
        assert distances is not None
        return all(len(found) == 1 and found[0] < _SELF_DISTANCE for found in distances)

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

    def _alone(self, name: str) -> Collection:
        """A collection to write to, with no other's graph in memory that was written before."""
        if self._written not in (None, name):
            with self._lock:
                self._client.close()
                self._connect()
        self._written = name
        return self._collections[name]

    @contextmanager
    def _asking(self, failure: str) -> Iterator[None]:
        """Whatever Chroma, its SQLite or the disk say, it means that the index failed."""
        try:
            yield
        except Exception as error:
            self.is_sound = False
            raise VectorIndexError(f"the index {failure}: {error}") from error


def forget_failed_client() -> None:
    """Let the next client be a new one: Chroma keeps even one that failed, by its directory."""
    Client.clear_system_cache()


def _purpose(collection: Collection) -> dict[str, object]:
    return dict(collection.metadata or {})


def _ids(content_hashes: Sequence[bytes]) -> list[str]:
    return [content_hash.hex() for content_hash in content_hashes]


def _nearest(collection: Collection, vector: Vectors, limit: int) -> list[tuple[bytes, float]]:
    answer = collection.query(
        query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
    )
    distances = answer["distances"]
    assert distances is not None
    return [
        (bytes.fromhex(name), 1.0 - distance)
        for name, distance in zip(answer["ids"][0], distances[0], strict=True)
    ]
