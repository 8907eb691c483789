"""Collections: what the vector index asks ChromaDB for, wherever that runs.

Only the files library/chroma*.py import it: here is what both have in common, the embedded one
(chroma_directory.py) and a server (chroma_server.py).
"""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection

from library.errors import VectorIndexError
from library.vectors import Vectors

GRAPH = -1
"""Instead of a shard's number: the one graph of whoever asks the index."""

# Chosen for recall; the threshold, for what an opening has to do again: docs/architecture.md.
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 16,
    "ef_construction": 200,
    "ef_search": 600,
    "sync_threshold": 100,
}
_SELF_DISTANCE = 1e-3

Hits = list[tuple[bytes, float]]


class Collections(ABC):
    """A library's collections, by Chroma's UUIDs; each is for one space and a shard's number.

    Queries and counts may come from any thread, all that writes from one at a time. `is_sound`
    tells that Chroma did everything it was asked for.
    """

    def __init__(self) -> None:
        self.is_sound = True
        self._lock = threading.Lock()
        self._collections: dict[str, Collection] = {}

    def all(self) -> dict[str, str]:
        """The key of the space that each collection is for."""
        return {name: str(purpose(c)["space"]) for name, c in list(self._collections.items())}

    def of_space(self, space_key: str) -> list[str]:
        """The collections that a space's vectors lie in."""
        return [name for name, key in self.all().items() if key == space_key]

    def find(self, space_key: str, number: int) -> str | None:
        """The collection for a space's shard of this number, or None."""
        of_space = self.of_space(space_key)
        return next((name for name in of_space if self.number(name) == number), None)

    def number(self, name: str) -> int:
        """The number of the shard that a collection is for."""
        return int(str(purpose(self._collections[name])["number"]))

    def create(self, space_key: str, number: int) -> str:
        """Make the collection for a space's shard of this number, which must not be there."""
        with self._lock, self._asking("takes no vectors"):
            collection = self._make(space_key, number)
            self._collections[str(collection.id)] = collection
        return str(collection.id)

    def drop(self, name: str) -> None:
        """Remove a collection with all it holds."""
        with self._lock, self._asking("does not answer"):
            self._remove(self._collections.pop(name).name)

    def add(self, name: str, content_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Add vectors (n, dim), at most 5,000; contents that are there already stay as they are."""
        with self._asking("takes no vectors"):
            self._alone(name).add(ids=_ids(content_hashes), embeddings=vectors)

    def remove(self, name: str, content_hashes: Sequence[bytes]) -> None:
        """Take contents out, at most 5,000, whether they are there or not."""
        with self._asking("gives no vectors up"):
            self._alone(name).delete(ids=_ids(content_hashes))

    def count_alone(self, name: str) -> int:
        """As `count`, for a collection that is about to be written to."""
        with self._asking("does not answer"):
            return self._alone(name).count()

    def find_themselves(self, name: str, vectors: Vectors) -> bool:
        """Whether each of these vectors (n, dim), or an equal, is found when it is asked for."""
        if not len(vectors):
            return True
        with self._asking("does not answer"):
            answer = self._alone(name).query(
                query_embeddings=vectors, n_results=1, include=["distances"]
            )
        distances = answer["distances"]
        assert distances is not None
        return all(len(found) == 1 and found[0] < _SELF_DISTANCE for found in distances)

    @abstractmethod
    def count(self, name: str) -> int:
        """How many vectors a collection really holds. This loads its graph."""

    @abstractmethod
    def query(self, space_key: str, vector: Vectors, limit: int) -> Hits:
        """The nearest contents of a space, with cosine similarities, best first."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    @abstractmethod
    def _make(self, space_key: str, number: int) -> Collection: ...

    @abstractmethod
    def _remove(self, called: str) -> None: ...

    @abstractmethod
    def _alone(self, name: str) -> Collection:
        """A collection to work on for long."""

    @contextmanager
    def _asking(self, failure: str) -> Iterator[None]:
        """Whatever Chroma, its SQLite or the disk say, it means that the index failed."""
        try:
            yield
        except Exception as error:
            self.is_sound = False
            raise VectorIndexError(f"the index {failure}: {error}") from error


def digest(space_key: str) -> str:
    """A space's key in a collection's name, for which Chroma allows too few characters."""
    return hashlib.blake2b(space_key.encode(), digest_size=16).hexdigest()


def purpose(collection: Collection) -> Mapping[str, object]:
    """What a collection is for, as it was made with."""
    return dict(collection.metadata or {})


def nearest(collection: Collection, vector: Vectors, limit: int) -> Hits:
    """The nearest contents in one collection, with cosine similarities, best first."""
    answer = collection.query(
        query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"]
    )
    distances = answer["distances"]
    assert distances is not None
    return [
        (bytes.fromhex(name), 1.0 - distance)
        for name, distance in zip(answer["ids"][0], distances[0], strict=True)
    ]


def _ids(content_hashes: Sequence[bytes]) -> list[str]:
    return [content_hash.hex() for content_hash in content_hashes]
