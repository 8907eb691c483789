"""ServerGraphs: the vector index's collections on a Chroma server, one graph a space.

Others may keep theirs there too: ours are asked for by their names, which contain the library's id,
and nothing else is ever listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from chromadb.api import ServerAPI
from chromadb.api.fastapi import FastAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.config import System
from chromadb.errors import ChromaError, NotFoundError
from chromadb.types import Collection as CollectionModel

from library.chroma import GRAPH, HNSW, Collections, Hits, digest, nearest
from library.errors import IndexUnreachableError, VectorIndexError
from library.vectors import Vectors

ANSWER_SECONDS = 0.5
"""What a search waits for before it looks at every picture."""
WORK_SECONDS = 10.0
"""What adding a batch, or loading a graph, may take; a site that is stopped waits for it."""


class ServerGraphs(Collections):
    """One library's graphs of some spaces on the server at `url`.

    Nothing waits for the server for long. Raises IndexUnreachableError when it does not answer, and
    VectorIndexError when it answers that something is wrong with a collection.
    """

    def __init__(
        self,
        url: str,
        library_id: str,
        space_keys: Iterable[str],
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._server = f"the Chroma server at {parts.hostname}:{parts.port or parts.scheme}"
        self._library_id = library_id
        self._asked: dict[str, Collection] = {}
        self._hasty, self._patient = _client(url, answer_seconds), _client(url, WORK_SECONDS)
        try:
            for space_key in space_keys:
                self._look_for(self._called(space_key))
        except Exception as error:  # what answers may be anything, of any version
            self.close()
            raise self._unreachable("does not answer", error) from error

    def count(self, name: str) -> int:
        """How many vectors a collection really holds."""
        with self._asking("does not answer"):
            return self._asked[name].count()

    def query(self, space_key: str, vector: Vectors, limit: int) -> Hits:
        """The nearest contents of a space, with cosine similarities, best first."""
        with self._asking("does not answer"):
            name = self.find(space_key, GRAPH)
            return nearest(self._asked[name], vector, limit) if name else []

    def close(self) -> None:
        """Close the connections."""
        for client in (self._hasty, self._patient):
            client._session.close()  # nothing else does

    def _look_for(self, called: str) -> None:
        with suppress(NotFoundError):
            self._keep(self._hasty.get_collection(called))

    def _keep(self, model: CollectionModel) -> Collection:
        name = str(model.id)
        self._asked[name] = Collection(self._hasty, model, embedding_function=None)
        self._collections[name] = Collection(self._patient, model, embedding_function=None)
        return self._collections[name]

    def _called(self, space_key: str) -> str:
        return f"kindred-{self._library_id}-{digest(space_key)}"

    def _make(self, space_key: str, number: int) -> Collection:
        model = self._patient.create_collection(
            self._called(space_key),
            configuration={"hnsw": HNSW},
            metadata={"library": self._library_id, "space": space_key, "number": number},
        )
        return self._keep(model)

    def _remove(self, called: str) -> None:
        self._patient.delete_collection(called)

    def _alone(self, name: str) -> Collection:
        return self._collections[name]

    @contextmanager
    def _asking(self, failure: str) -> Iterator[None]:
        """What Chroma says of a collection means that it failed, all else, that nobody is there."""
        try:
            yield
        except ChromaError as error:
            raise VectorIndexError(f"{self._server} has failed: {error}") from error
        except Exception as error:
            raise self._unreachable(failure, error) from error

    def _unreachable(self, failure: str, error: Exception) -> IndexUnreachableError:
        return IndexUnreachableError(f"{self._server} {failure}: {error}")


def _client(url: str, seconds: float) -> FastAPI:
    """Chroma's own client of a server, which asks nothing before it is asked.

    `chromadb.HttpClient` waits for ever, already while it is made, and no setting changes that
    (1.5.9); so this is the part of it that carries the requests, with a session that waits so many
    seconds for a connection, and as many for each part of an answer.
    """
    settings = ChromaSettings(
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=url,
        chroma_server_http_port=0,  # it is in the URL, but has to be there
    )
    client = System(settings).instance(ServerAPI)  # type: ignore[type-abstract]
    assert isinstance(client, FastAPI)
    client._session.timeout = seconds
    return client
