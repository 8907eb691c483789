"""`python -m library.index_check CHROMA DATABASE SPACE DIM`: does this index answer as it should?

Run by VectorIndex after a crash, in a process of its own, because an index that a killed process
left behind can crash its reader. Exit status 0: the index may be used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from library import vectors
from library.database import Database
from library.index import answers_itself, collection_name, connect

_SAMPLE = 100


def main(arguments: list[str]) -> int:
    """Compare the count and ask a sample of vectors for themselves."""
    directory, database_path, key, dim = arguments
    database = Database(Path(database_path))
    try:
        space = vectors.space(database.connection, key, int(dim))
        client = connect(Path(directory))
        collection = client.get_collection(collection_name(space), embedding_function=None)
        name = str(collection.id)
        if collection.count() < vectors.count_indexed(database.connection, name):
            return 1
        sample = vectors.sample_indexed(database.connection, space, name, _SAMPLE)
        healthy = answers_itself(collection, sample)
        client.close()
        return 0 if healthy else 1
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
