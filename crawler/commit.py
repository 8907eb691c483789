"""What became of files -> rows: one transaction a batch, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

import numpy as np

from crawler.encode import Encoded
from crawler.read import Failed, Known, Vanished
from library import files, images, vectors
from library.database import Database
from library.models import Work
from library.spaces import Space

Result = Encoded | Known | Failed | Vanished


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch came to: files, of those newly encoded pictures and failures, and bytes."""

    files: int
    encoded: int
    failed: int
    bytes: int


class Committer:
    """Commits everything that is known of a batch's files, metadata and vectors together."""

    def __init__(self, database: Database, space: Space) -> None:
        self.altered: list[bytes] = []
        """Files that hold something else than before, though their size and mtime are the same."""
        self._database = database
        self._space = space

    def commit(self, batch: Sequence[Result]) -> Committed:
        """Commit a batch. Raises DatabaseError when SQLite does not take it."""
        encoded = failed = 0
        with self._database.transaction() as connection:
            # What is known comes last: its picture may be stored by this very batch.
            for result in sorted(batch, key=lambda result: isinstance(result, Known)):
                match result:
                    case Encoded():
                        stored, new = self._store(connection, result)
                        encoded += new
                        failed += not stored
                    case Known(work, content_hash, size, mtime_ns):
                        image_id = images.find(connection, content_hash)
                        assert image_id is not None
                        self._set_content(connection, work, image_id, size, mtime_ns)
                    case Failed(work, reason, kind):
                        files.set_failure(connection, work, reason, kind)
                        failed += 1
                        if work.image_id is not None and kind == "undecodable":
                            self.altered.append(work.path)
                    case Vanished():
                        pass  # the next scan will see whether it is gone, or its whole disk
        size = sum(_work(result).size for result in batch)
        return Committed(len(batch), encoded, failed, size)

    def _store(self, connection: Connection, result: Encoded) -> tuple[bool, bool]:
        """Record a picture with its vector; gives whether it could be, and whether it was new."""
        picture = result.picture
        if not np.isfinite(result.vector).all():
            reason = "the model has no vector for it"
            files.set_failure(connection, picture.work, reason, "undecodable")
            return False, False
        # A copy may have been decoded beside it: the first one's vector stays.
        new = not vectors.exists(connection, self._space, picture.content_hash)
        image_id = images.add(connection, picture.content_hash, picture.metadata)
        vectors.add(connection, self._space, image_id, result.vector)
        self._set_content(connection, picture.work, image_id, picture.size, picture.mtime_ns)
        return True, new

    def _set_content(
        self, connection: Connection, work: Work, image_id: int, size: int, mtime_ns: int
    ) -> None:
        files.set_content(connection, work, image_id, size, mtime_ns)
        is_same_file = (size, mtime_ns) == (work.size, work.mtime_ns)
        if work.image_id not in (None, image_id) and is_same_file:
            self.altered.append(work.path)


def _work(result: Result) -> Work:
    return result.picture.work if isinstance(result, Encoded) else result.work
