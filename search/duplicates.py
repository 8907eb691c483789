"""Duplicates: which pictures of the library are the same, or nearly, and what they take."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from library import duplicates, vectors
from library.database import Database
from library.duplicates import Present
from library.errors import LibraryError
from library.spaces import Space
from library.unhashed import Unhashed
from mlx_clip import STARTER
from search.near import Near, NearDuplicates, Rows

# The cosine similarity from which on pictures may be duplicates: see near.py for what is added.
# The starter model's is the highest at which every photograph is found that `python -m bench
# duplicates` resizes, recompresses, crops and recolours; the other was not measured.
_STARTER_LINE = 0.90
_LINE = 0.92

_LOOK_SECONDS = 2.0
# While a crawl writes there is always news: at most this part of the time is spent on it.
_PART = 0.1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that are near duplicates, or one picture that lies in several files."""

    image_ids: tuple[int, ...]
    """The one most worth keeping first (resolution, then file size, then age), then by likeness."""
    similarities: tuple[float, ...]
    """The cosine similarity of each to the first."""
    files: int
    """All present files of these pictures."""
    bytes_to_free: int
    """What they take beside one file of the first picture."""

    @property
    def keep(self) -> int:
        """The picture to keep."""
        return self.image_ids[0]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found in one version of the library."""

    version: int
    groups: tuple[Group, ...]
    by_image: dict[int, Group]


class _StoppedError(Exception):
    """The looking has to end."""


class Duplicates:
    """The groups of duplicates in a library, found anew behind the scenes whenever it changes.

    What is asked of it is answered from memory, with what was found last. `rows` gives vectors by
    image ids, by default SQLite's.
    """

    def __init__(
        self, database: Database, space: Space, unhashed: Unhashed, rows: Rows | None = None
    ) -> None:
        self._database = database
        self._space = space
        self._unhashed = unhashed
        self._rows: Rows = rows or self._from_database
        self._known: _Known | None = None
        self._seconds = 0.0  # that finding the groups took
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="duplicates", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the looking. The database may be closed afterwards."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def groups(self) -> tuple[Group, ...] | None:
        """All groups, those first that would free most; None while that is not known yet."""
        known = self._known
        return None if known is None else known.groups

    def group_of(self, image_id: int) -> Group | None:
        """The group that a picture is in; None where there is none, or it is not known yet."""
        known = self._known
        return None if known is None else known.by_image.get(image_id)

    def refresh(self) -> None:
        """Find the groups as the library is now, if it has changed. `start` has it done behind.

        Then the pictures are hashed that have no perceptual hash yet, for the next time.
        """
        connection = self._database.connection
        version = duplicates.version(connection)
        if self._known is None or self._known.version != version:
            started = time.monotonic()
            self._known = self._find(version)
            self._seconds = time.monotonic() - started
        if self._unhashed.hash_all(self._stop.is_set) and self._known:
            # Of its own writing a connection sees no new version.
            self._known = _Known(-1, self._known.groups, self._known.by_image)

    def _find(self, version: int) -> _Known:
        pictures = duplicates.present(self._database.connection, self._space)
        near = NearDuplicates(pictures, self._rows_or_stop, line_of(self._space.key))
        groups = [_group(pictures, found) for found in near.groups()]
        together = {image_id for group in groups for image_id in group.image_ids}
        groups += (group for group in _copies(pictures) if group.keep not in together)
        groups.sort(key=lambda group: (-group.bytes_to_free, group.keep))
        by_image = {image_id: group for group in groups for image_id in group.image_ids}
        return _Known(version, tuple(groups), by_image)

    def _rows_or_stop(self, image_ids: Sequence[int]) -> vectors.Vectors:
        if self._stop.is_set():
            raise _StoppedError
        return self._rows(image_ids)

    def _from_database(self, image_ids: Sequence[int]) -> vectors.Vectors:
        return vectors.of_images(self._database.connection, self._space, image_ids)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                self.refresh()
            except _StoppedError:
                return
            except (sqlite3.Error, LibraryError) as error:
                logger.warning("duplicates were not looked for: %s", error)
            pause = max(_LOOK_SECONDS, self._seconds / _PART)


def line_of(space: str) -> float:
    """The cosine similarity from which on pictures may be duplicates, by a space's key."""
    return _STARTER_LINE if space.startswith(STARTER) else _LINE


def _group(pictures: Present, found: Near) -> Group:
    nearest = sorted(
        zip(found.similarities[1:], found.places[1:], strict=True), key=lambda pair: -pair[0]
    )
    places = [found.places[0], *(place for _, place in nearest)]
    sizes, copies = pictures.sizes[places], pictures.copies[places]
    return Group(
        tuple(pictures.ids[places].tolist()),
        (1.0, *(min(1.0, round(score, 4)) for score, _ in nearest)),
        int(copies.sum()),
        int((sizes * copies).sum() - sizes[0]),
    )


def _copies(pictures: Present) -> Iterator[Group]:
    """Pictures in several files, each for itself."""
    for place in (pictures.copies > 1).nonzero()[0].tolist():
        yield _group(pictures, Near((place,), (1.0,)))
