"""Batches of what was read -> vectors and rows: one transaction a batch, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

import numpy as np

from crawler.read import Decoded, Failed, Known, Outcome, Vanished
from library import files, images, vectors
from library.database import Database
from library.vectors import Space
from mlx_clip import Encoder


class BatchWriter:
    """Encodes the pictures of a batch and commits everything that is known of its files."""

    def __init__(self, database: Database, space: Space, encoder: Encoder) -> None:
        self._database = database
        self._space = space
        self._encoder = encoder

    def write(self, batch: Sequence[Outcome]) -> tuple[int, int]:
        """Commit a batch; gives how many pictures were encoded and how many files failed."""
        batch = self._without_copies(batch)
        decoded = [outcome for outcome in batch if isinstance(outcome, Decoded)]
        matrix = self._encode(decoded)
        with self._database.transaction() as connection:
            encoded = 0
            for picture, vector in zip(decoded, matrix, strict=True):
                encoded += self._store(connection, picture, vector)
            failed = len(decoded) - encoded
            for outcome in batch:
                failed += _record(connection, outcome)
        return encoded, failed

    def _without_copies(self, batch: Sequence[Outcome]) -> list[Outcome]:
        """Copies that were decoded side by side, or before the first was committed, are known."""
        seen: set[bytes] = set()
        kept: list[Outcome] = []
        for outcome in batch:
            if isinstance(outcome, Decoded):
                content_hash = outcome.content_hash
                if content_hash in seen or vectors.exists(
                    self._database.connection, self._space, content_hash
                ):
                    outcome = Known(outcome.work, content_hash, outcome.size, outcome.mtime_ns)
                seen.add(content_hash)
            kept.append(outcome)
        # What is known comes last: its picture may be stored by this very batch.
        return sorted(kept, key=lambda outcome: isinstance(outcome, Known))

    def _store(self, connection: Connection, picture: Decoded, vector: vectors.Vectors) -> bool:
        """Record a picture with its vector; False when the model has none for it."""
        if not np.isfinite(vector).all():
            files.set_failure(
                connection, picture.work, "the model has no vector for it", "undecodable"
            )
            return False
        image_id = images.add(connection, picture.content_hash, picture.metadata)
        vectors.add(connection, self._space, image_id, vector)
        files.set_content(connection, picture.work, image_id, picture.size, picture.mtime_ns)
        return True

    def _encode(self, decoded: Sequence[Decoded]) -> vectors.Vectors:
        if not decoded:
            return np.empty((0, self._space.dim), np.float32)
        return self._encoder.encode_images(np.stack([outcome.pixels for outcome in decoded]))


def _record(connection: Connection, outcome: Outcome) -> bool:
    """Record what needed no encoding; True when it is a failure."""
    match outcome:
        case Known(work, content_hash, size, mtime_ns):
            image_id = images.find(connection, content_hash)
            assert image_id is not None
            files.set_content(connection, work, image_id, size, mtime_ns)
        case Failed(work, reason, kind):
            files.set_failure(connection, work, reason, kind)
            return True
        case Decoded():
            pass  # stored beside its vector
        case Vanished():
            pass  # the next scan will see whether it is gone, or its whole disk
    return False
