"""The run: the stages in order, with progress, cancel and resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.file_list import Asked
from crawler.find import Finder, Found
from crawler.in_hand import InHand
from crawler.progress import Meter, Report
from crawler.push import IndexFeeder, NoFeeder
from library import collections, counts, excludes, files, listings, runs
from library.crawl_lock import CrawlLock
from library.database import Database
from library.models import FileEntry, Progress
from library.settings import Settings
from library.spaces import space
from library.thumbnails import Thumbnails

if TYPE_CHECKING:
    from library.prune import Forgotten
    from mlx_clip import Encoder

_JSON_FIELDS = (
    "files",
    "pictures",
    "encoded",
    "skipped",
    "failed",
    "missing",
    "indexed",
    "seconds",
    "model",
)

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Options:
    """What a crawl is to do beside bringing the library up to date with its folders."""

    exclude: tuple[bytes, ...] = ()
    """Patterns of what this crawl and all later ones pass over: see excludes.py."""
    include: tuple[bytes, ...] = ()
    """Patterns that are no longer excluded."""
    rehash: bool = False
    """Check the content of every file, whatever its size and mtime say."""
    retry: bool = False
    """Try the files again that could not be decoded."""
    prune: bool = False
    """Forget files that are missing, and pictures that are in no file."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a crawl came to.

    `files`, `pictures`, `failed`, `missing` and `indexed` are the library as it is now (`files`
    as the scan listed them); `encoded` and `skipped` are what this run did and did not need to do.
    """

    files: int
    pictures: int
    encoded: int
    skipped: int
    failed: int
    missing: int
    indexed: int
    seconds: float
    model: str
    interrupted: bool
    continued: bool
    """It went on from the file list of a run that was cut off."""
    absent: tuple[bytes, ...]
    """Roots that were missing, unreadable or without pictures."""
    unreadable: tuple[bytes, ...]
    """Folders that could not be looked into."""
    index_note: str | None
    """Why the index was left to somebody else."""
    passed_over: Mapping[str, int]
    """Files that were not read, for want of a package or by a setting, by kind."""
    altered: tuple[bytes, ...]
    """Files that hold something else than before, though size and mtime say that they do not."""
    forgotten: Forgotten | None
    """What was forgotten, if that was asked."""

    def as_json(self) -> dict[str, int | float | str]:
        """The object that `--json` prints."""
        return {name: getattr(self, name) for name in _JSON_FIELDS}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a look at some files."""

    encoded: int
    known: int
    """Files of known content: moved, copied, restored, or touched."""
    missing: int
    failed: int


_NO_OPTIONS = Options()


class Crawl:
    """A crawl into a library; nobody else may crawl there meanwhile.

    `report` is told the progress a few times a second; `cancelled` is asked between pictures, and
    a crawl that was cancelled commits the batch in hand and ends in good order. `began` is told the
    number of the run. In a process that has the index open already, `feeds_index` is false, and
    `give_way` waits for what is more urgent there.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encoder: Encoder,
        report: Report = lambda progress: None,
        cancelled: Cancelled = lambda: False,
        began: Callable[[int], None] = lambda run: None,
        feeds_index: bool = True,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._encoder = encoder
        self._space = space(database.connection, encoder.space, encoder.dim)
        self._lock = CrawlLock(settings.data_dir)
        self._tell = report
        self._cancelled = cancelled
        self._tell_began = began
        self._feeds_index = feeds_index
        self._give_way = give_way

    def run(self, roots: Sequence[bytes], options: Options = _NO_OPTIONS) -> Summary:
        """Crawl `roots` (absolute, none below another), or go on where such a run was cut off.

        Raises CrawlBusyError when another crawl is at work in the library.
        """
        with self._lock:
            return self._run(self._asked(tuple(roots), options))

    def look_at(
        self, roots: Sequence[bytes], entries: Sequence[FileEntry], gone: Collection[bytes]
    ) -> Seen:
        """Take in some files below `roots` as they are now, and what is gone, as a crawl would.

        Raises CrawlBusyError when a crawl is at work in the library.
        """
        with self._lock:
            with self._database.transaction() as connection:
                missing = listings.apply_changes(connection, entries, gone, time.time())
            done = self._read(tuple(roots))
        return Seen(done.encoded, done.work - done.encoded - done.failed, missing, done.failed)

    def _asked(self, roots: tuple[bytes, ...], options: Options) -> Asked:
        if options.exclude or options.include:
            with self._database.transaction() as connection:
                excludes.add(connection, options.exclude)
                excludes.remove(connection, options.include)
        return Asked(
            roots,
            excludes.excludes(self._database.connection),
            self._settings.raw_beside_jpeg,
            options.rehash,
            options.retry,
            options.prune,
        )

    def _report(self, progress: Progress) -> None:
        """One stream of progress, to who began the crawl and to who looks at the library."""
        self._lock.show(progress)
        self._tell(progress)

    def _began(self, run_id: int) -> None:
        self._lock.begin(run_id)
        self._tell_began(run_id)

    def _run(self, asked: Asked) -> Summary:
        started = time.monotonic()
        finder = Finder(self._settings, self._database, self._report, self._cancelled, self._began)
        found = finder.find(asked)
        with self._database.transaction() as connection:
            collections.refresh(connection)
        done = self._read(asked.roots) if found else _NOTHING_READ
        forgotten = None
        if found and asked.prune and not self._cancelled():
            forgotten = self._prune(found)
        now = counts.count(self._database.connection, self._space)
        summary = Summary(
            files=found.count if found else 0,
            pictures=now.pictures,
            encoded=done.encoded,
            skipped=found.count - done.work if found else 0,
            failed=now.failed,
            missing=now.missing,
            indexed=now.indexed,
            seconds=round(time.monotonic() - started, 2),
            model=self._encoder.name,
            interrupted=self._cancelled(),
            continued=found is not None and found.continued,
            absent=tuple(r for r in asked.roots if found and r not in found.header.walked),
            unreadable=found.header.unreadable if found else (),
            index_note=done.note,
            passed_over=found.header.skipped if found else {},
            altered=done.altered,
            forgotten=forgotten,
        )
        if found and not summary.interrupted:
            told = {**summary.as_json(), "passed_over": dict(summary.passed_over)}
            runs.finish(self._database.connection, found.run.id, told)
        return summary

    def _read(self, roots: tuple[bytes, ...]) -> _Read:
        """Read, encode and index what is missing."""
        total = files.count_work(self._database.connection, self._space.id, roots)
        with self._feeder() as feeder:
            if total:
                encoded, failed, altered = self._encode(roots, total, feeder)
            else:
                encoded, failed, altered = 0, 0, ()
        return _Read(total, encoded, failed, altered, feeder.note)

    def _encode(
        self, roots: tuple[bytes, ...], total: int, feeder: IndexFeeder | NoFeeder
    ) -> tuple[int, int, tuple[bytes, ...]]:
        """Read and encode; gives the pictures, the failures, and the files altered silently."""
        # What decodes takes long to import, which a crawl with nothing to do need not pay.
        from crawler.commit import Committer
        from crawler.pipeline import Pipeline
        from crawler.read import Reader
        from crawler.trial import CarefulReader

        reader = Reader(
            self._database,
            self._space,
            self._encoder,
            Thumbnails(self._settings.thumbnail_dir),
            self._settings.max_image_megapixels,
        )
        committer = Committer(self._database, self._space)
        work = files.work(self._database.connection, self._space.id, roots)
        meter = Meter("read", total, self._report)
        encoded = failed = 0
        with closing(InHand(self._settings.in_hand_path)) as in_hand:
            read = CarefulReader(reader, in_hand).read
            with Pipeline(read, self._encoder, self._cancelled, self._give_way) as pipeline:
                for batch in pipeline.batches(work):
                    done = committer.commit(batch)
                    feeder.committed(done.encoded)
                    encoded += done.encoded
                    failed += done.failed
                    meter.add(done.files, done.failed, done.bytes)
        meter.end()
        return encoded, failed, tuple(sorted(committer.altered))

    def _feeder(self) -> IndexFeeder | NoFeeder:
        if not self._feeds_index:
            return NoFeeder()
        return IndexFeeder(
            self._settings.data_dir,
            self._database,
            self._space,
            self._report,
            self._cancelled,
            self._settings.chroma_url,
        )

    def _prune(self, found: Found) -> Forgotten:
        from crawler.prune import forget_what_is_gone

        return forget_what_is_gone(
            self._database,
            Thumbnails(self._settings.thumbnail_dir),
            found.header.walked,
            found.header.unreadable,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What the reading stage came to: files there were to read, pictures encoded, and so on."""

    work: int
    encoded: int
    failed: int
    altered: tuple[bytes, ...]
    note: str | None


_NOTHING_READ = _Read(0, 0, 0, (), None)
