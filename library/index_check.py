"""`python -m library.index_check CHROMA DATABASE SHARD`: does this index answer as it should?

Run by VectorIndex after a crash, in a process of its own, because an index that a killed process
left behind can crash its reader. Exit status 0: the index may be used.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from library import indexed, spaces
from library.chroma import Collections
from library.chroma_directory import Shards
from library.database import Database
from library.spaces import Space

_SAMPLE = 100


def main(arguments: list[str]) -> int:
    """Count every shard, of all spaces, and ask it for a sample of what it should hold."""
    directory, database_path, shard = arguments
    database = Database(Path(database_path))
    try:
        connection = database.connection
        known = {space.key: space for space in spaces.spaces(connection)}
        shards = Shards(Path(directory), int(shard))
        for name, key in shards.all().items():
            if not is_whole(connection, shards, name, known[key]):
                return 1
        shards.close()
        return 0
    finally:
        database.close()


def is_whole(
    connection: sqlite3.Connection, collections: Collections, name: str, space: Space
) -> bool:
    """Whether a collection has as many vectors as are recorded, and finds some of them.

    Raises VectorIndexError when Chroma fails at it.
    """
    if collections.count_alone(name) < indexed.count(connection, name):
        return False
    sample = indexed.sample(connection, space, name, _SAMPLE)
    return collections.find_themselves(name, sample.vectors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
