"""IndexServer: an index on a Chroma server, which may be stopped, emptied or killed meanwhile."""

from __future__ import annotations

from contextlib import suppress

from library import indexed, meta, spaces
from library.chroma import Collections
from library.chroma_server import ANSWER_SECONDS, ServerGraphs
from library.database import Database
from library.errors import IndexUnreachableError, VectorIndexError
from library.index_check import is_whole
from library.index_files import IndexFiles
from library.spaces import Space


class IndexServer:
    """A library's place on the server at `url`; whoever opens it holds the index's lock."""

    def __init__(self, url: str, files: IndexFiles, database: Database, space: Space) -> None:
        self.was_damaged = False
        self._url = url
        self._files = files
        self._database = database
        self._space = space

    def open(self, owner: str) -> Collections:
        """What the server holds of this library; what cannot be trusted of it is dropped.

        Raises IndexUnreachableError when it does not answer.
        """
        graphs = open_graphs(self._url, self._database)
        try:
            for name in graphs.of_space(self._space.key):
                if not self._is_trusted(graphs, name):
                    self.was_damaged = True
                    graphs.drop(name)
        except VectorIndexError as error:
            graphs.close()
            raise IndexUnreachableError(str(error)) from error
        self._files.discard()  # of the time before CHROMA_URL was set: nothing there is used again
        self._files.set_owner(owner)
        return graphs

    def close(self, collections: Collections) -> None:
        """Close the connections."""
        collections.close()
        self._files.mark.unlink(missing_ok=True)

    def discard(self, collections: Collections) -> None:
        """Have the server drop all of this library's collections that it can."""
        with suppress(IndexUnreachableError):
            _drop_all(collections)
        self.close(collections)

    def _is_trusted(self, graphs: Collections, name: str) -> bool:
        """A server that was killed may have lost vectors, or hold what was forgotten long ago."""
        connection = self._database.connection
        try:
            return name in indexed.collections(connection) and is_whole(
                connection, graphs, name, self._space
            )
        except IndexUnreachableError:
            raise
        except VectorIndexError:
            return False


def open_graphs(
    url: str, database: Database, answer_seconds: float = ANSWER_SECONDS
) -> ServerGraphs:
    """What the server holds of a library, as it is. Raises IndexUnreachableError."""
    connection = database.connection
    space_keys = [space.key for space in spaces.spaces(connection)]
    return ServerGraphs(url, meta.library_id(connection), space_keys, answer_seconds)


def drop_graphs(url: str, database: Database) -> None:
    """Remove what the server holds of a library. Raises IndexUnreachableError."""
    graphs = open_graphs(url, database)
    try:
        _drop_all(graphs)
    finally:
        graphs.close()


def _drop_all(collections: Collections) -> None:
    for name in collections.all():
        try:
            collections.drop(name)
        except IndexUnreachableError:
            raise
        except VectorIndexError:  # it is no more, say
            continue
