"""Perceptual hashes of pictures that were crawled before there were any, from their thumbnails."""

from __future__ import annotations

from collections.abc import Callable

from library import images
from library.database import Database
from library.perceptual_hash import of_thumbnail
from library.thumbnails import Thumbnails

_BATCH = 200  # pictures a transaction: a crawl may be waiting to write


class Unhashed:
    """The pictures without a perceptual hash, each looked at once in the life of this object.

    Which they are is derived, so a kill loses nothing. A picture whose thumbnail is missing or
    does not open stays without, and is looked at again by the next process.
    """

    def __init__(self, database: Database, thumbnails: Thumbnails) -> None:
        self._database = database
        self._thumbnails = thumbnails
        self._last = 0  # ids only grow

    def hash_all(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Look at them, a batch at a time until `stopped`; gives how many got a hash.

        Raises DatabaseError when SQLite does not take them.
        """
        hashed = 0
        while not stopped():
            batch = images.unhashed(self._database.connection, self._last, _BATCH)
            if not batch:
                break
            found = [(self._hash(content), image_id) for image_id, content in batch]
            done = [(value, image_id) for value, image_id in found if value is not None]
            with self._database.transaction() as connection:
                images.set_perceptual_hashes(connection, done)
            self._last = batch[-1][0]
            hashed += len(done)
        return hashed

    def _hash(self, content_hash: bytes) -> int | None:
        return of_thumbnail(self._thumbnails.path(content_hash))
