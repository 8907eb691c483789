"""Relevance: from which cosine on a picture counts as a match, for the model and library in use.

Cosines mean something else with every model, and the best of many pictures is close by chance
alone. So the lines are found on the library itself. For words: queries that no picture answers are
asked, and four out of five of them must find nothing. For pictures: of two of the library's own,
drawn by lot, only one pair in twenty is that close.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from library import counts, lines
from library.database import Database
from library.errors import LibraryError
from library.lines import Lines
from library.spaces import Space
from mlx_clip import Encoder, EncoderError, Vectors
from search import prompts
from search.unrelated import TO_CALIBRATE

logger = logging.getLogger(__name__)

Kind = Literal["words", "picture"]

# `python -m bench retrieval` shows what these keep and what they turn away.
_OF_UNRELATED = 80
_OF_PAIRS = 95
_PAIRS = 10_000
# Below this, pairs are too few to tell what is usual, and all answers fit on a page.
_FEWEST_PICTURES = 20
_CHUNK = 20_000
_LOOK_AFTER_SECONDS = 10.0
_RECIPE = hashlib.blake2b(
    repr((TO_CALIBRATE, _OF_UNRELATED, _OF_PAIRS)).encode(), digest_size=6
).hexdigest()


class Relevance:
    """The lines of one space, found again when the library has changed by a quarter.

    `rows` gives the space's vectors as they are now, (n, dim), L2-normalised; a memory-mapped
    array will do. A thread of its own does the work, so no search waits: until there is a line,
    there is none. Thread-safe.
    """

    def __init__(
        self, database: Database, space: Space, encoder: Encoder, rows: Callable[[], Vectors]
    ) -> None:
        self._database = database
        self._space = space
        self._encoder = encoder
        self._rows = rows
        self._lines: Lines | None = None
        self._lock = threading.Lock()
        self._look_at = 0.0
        self._thread = ThreadPoolExecutor(1, "relevance")

    def start(self) -> None:
        """Look for the lines, behind; this maps the matrix, too, which else a first search does."""
        self._look_soon()

    def line(self, kind: Kind) -> float | None:
        """The cosine from which an answer to such a query is no weak one; None while unknown."""
        self._look_soon()
        known = self._lines
        if known is None:
            return None
        return known.words if kind == "words" else known.picture

    def refresh(self) -> None:
        """Find the lines now, where they are not known or no longer right."""
        connection = self._database.connection
        known = lines.get(connection, self._space)
        count = counts.vectors(connection, self._space)
        if known is None or _is_outdated(known, count):
            known = self._found(self._rows(), count)
            if known is not None:
                with self._database.transaction() as connection:
                    lines.put(connection, self._space, known)
        self._lines = known

    def close(self) -> None:
        """Wait for the work at hand; the database may be closed afterwards."""
        self._thread.shutdown(cancel_futures=True)

    def _look_soon(self) -> None:
        with self._lock:
            if time.monotonic() < self._look_at:
                return
            self._look_at = time.monotonic() + _LOOK_AFTER_SECONDS
        self._thread.submit(self._look)

    def _look(self) -> None:
        try:
            self.refresh()
        except (LibraryError, EncoderError) as error:
            logger.warning("No line between matches and weaker ones was found: %s", error)
        except Exception:  # or nobody would ever hear of it
            logger.exception("No line between matches and weaker ones was found")

    def _found(self, rows: Vectors, count: int) -> Lines | None:
        if not len(rows):
            return None
        queries = prompts.embed_all(self._encoder, TO_CALIBRATE)
        return Lines(words_line(queries, rows), picture_line(rows), count, _RECIPE)


def words_line(unrelated: Vectors, rows: Vectors) -> float:
    """The cosine that the best pictures of most unrelated queries (n, dim) do not reach."""
    best = np.full(len(unrelated), -1, np.float32)
    for start in range(0, len(rows), _CHUNK):
        best = np.maximum(best, (unrelated @ rows[start : start + _CHUNK].T).max(1))
    return float(np.percentile(best, _OF_UNRELATED))


def picture_line(rows: Vectors) -> float | None:
    """The cosine that most pairs of pictures do not reach; None for too few pictures."""
    if len(rows) < _FEWEST_PICTURES:
        return None
    drawn = np.random.default_rng(0).integers(0, len(rows), (2, _PAIRS))
    one, two = drawn[:, drawn[0] != drawn[1]]
    cosines = np.einsum("nd,nd->n", rows[one], rows[two])
    return float(np.percentile(cosines, _OF_PAIRS))


def _is_outdated(known: Lines, count: int) -> bool:
    return known.recipe != _RECIPE or 4 * abs(count - known.vectors) >= known.vectors
