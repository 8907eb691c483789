"""What a library holds and how it is: put together in a moment, at any size."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from library import counts, files, meta, runs
from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.database import Database
from library.excludes import excludes
from library.index_files import IndexFiles
from library.models import Counts, RootCounts, display_path
from library.runs import PastRun
from library.settings import Settings
from library.spaces import Space, spaces
from library.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """A space and how many vectors it has; `bytes` is what they take in the database."""

    key: str
    vectors: int
    bytes: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How many of the space's vectors the index is recorded to hold, and who has it open."""

    there: bool
    holds: int
    owner: str | None
    closed_well: bool
    server: bool
    """Whether it is on a Chroma server, which was not asked."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes; those of the thumbnails are reckoned from a part of them when there are many."""

    database: int
    thumbnails: int
    index: int
    matrix: int


@dataclass(frozen=True, slots=True)
class Status:
    """A library. `counts` and `index` are None while it has no space: nothing was encoded yet."""

    data_dir: Path
    model: str | None
    space: Space | None
    counts: Counts | None
    index: IndexStatus | None
    roots: tuple[RootCounts, ...]
    excludes: tuple[bytes, ...]
    other_spaces: tuple[SpaceStatus, ...]
    last_crawl: PastRun | None
    at_work: CrawlAtWork | None
    disk: DiskUse

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "data_dir": str(self.data_dir),
            "model": self.model,
            "space": self.space.key if self.space else None,
            **(asdict(self.counts) if self.counts else {}),
            "index": self.index and asdict(self.index),
            "roots": [{**asdict(r), "path": display_path(r.path)} for r in self.roots],
            "excludes": [display_path(pattern) for pattern in self.excludes],
            "other_spaces": [asdict(space) for space in self.other_spaces],
            "last_crawl": self.last_crawl and asdict(self.last_crawl),
            "at_work": self.at_work and asdict(self.at_work),
            "disk": asdict(self.disk),
        }


def look(settings: Settings, database: Database) -> Status:
    """The library as it is now; nothing is opened or changed for it."""
    connection = database.connection
    space = meta.space(connection)
    numbers = counts.count(connection, space) if space else None
    return Status(
        settings.data_dir,
        meta.model(connection),
        space,
        numbers,
        index_status(settings, numbers.indexed) if numbers else None,
        tuple(counts.count_root(connection, root) for root in files.roots(connection)),
        excludes(connection),
        tuple(
            SpaceStatus(other.key, number, number * other.vector_bytes)
            for other in spaces(connection)
            if other != space and (number := counts.vectors(connection, other))
        ),
        runs.last(connection),
        crawl_at_work(settings.data_dir),
        _disk_use(settings),
    )


def index_status(settings: Settings, recorded: int) -> IndexStatus:
    """From its files and what is recorded: opening it loads it into memory as a whole."""
    index = IndexFiles(settings.data_dir)
    on_server = settings.chroma_url is not None
    there = recorded > 0 if on_server else index.is_there()
    process = re.search(r"process (\d+)$", index.owner())
    open_now = index.mark.exists() and process is not None and _is_alive(int(process[1]))
    return IndexStatus(
        there,
        recorded if there else 0,
        index.owner() if open_now else None,
        on_server or index.were_closed(),
        on_server,
    )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:  # somebody else's
        return True
    except OSError:
        return False
    return True


def _disk_use(settings: Settings) -> DiskUse:
    main = settings.database_path
    return DiskUse(
        sum(_size(path) for path in (main, main.with_name(f"{main.name}-wal"))),
        Thumbnails(settings.thumbnail_dir).size(),
        sum(_size(path) for path in IndexFiles(settings.data_dir).directory.rglob("*")),
        sum(_size(path) for path in (settings.data_dir / "matrix").rglob("*")),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
