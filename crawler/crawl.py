"""The run: the stages in order, with progress, cancel and resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crawler import file_list
from crawler.commit import Committer
from crawler.file_list import FileListHeader, FileListWriter
from crawler.pipeline import Pipeline
from crawler.progress import Meter, Report
from crawler.push import IndexFeeder
from crawler.read import Reader
from crawler.scan import Walk
from library import counts, files, runs, vectors
from library.crawl_lock import CrawlLock
from library.database import Database
from library.errors import FileListError
from library.models import Progress
from library.runs import Run
from library.settings import Settings
from library.thumbnails import Thumbnails
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

    def as_json(self) -> dict[str, int | float | str]:
        """The object that `--json` prints."""
        return {name: getattr(self, name) for name in _JSON_FIELDS}


class Crawl:
    """A crawl into a library; nobody else may crawl there meanwhile.

    `report` is told the progress a few times a second; `cancelled` is asked between pictures, and
    a crawl that was cancelled commits the batch in hand and ends in good order.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encoder: Encoder,
        report: Report = lambda progress: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        self._settings = settings
        self._database = database
        self._encoder = encoder
        self._space = vectors.space(database.connection, encoder.space, encoder.dim)
        self._lock = CrawlLock(settings.data_dir)
        self._tell = report
        self._cancelled = cancelled

    def run(self, roots: Sequence[bytes]) -> Summary:
        """Crawl `roots` (absolute, none below another), or go on where such a run was cut off.

        Raises CrawlBusyError when another crawl is at work in the library.
        """
        with self._lock:
            return self._run(tuple(roots))

    def _report(self, progress: Progress) -> None:
        """One stream of progress, to who began the crawl and to who looks at the library."""
        self._lock.show(progress)
        self._tell(progress)

    def _run(self, roots: tuple[bytes, ...]) -> Summary:
        started = time.monotonic()
        run, header = self._cut_off(roots)
        continued = run is not None
        if run is None:
            run, header = self._scan(roots)
        work = encoded = 0
        note = None
        if header is not None:
            if not run.listed:
                self._apply(run, header)
            work, encoded, note = self._read(roots)
        count = header.count if header else 0
        now = counts.count(self._database.connection, self._space)
        summary = Summary(
            files=count,
            pictures=now.pictures,
            encoded=encoded,
            skipped=count - work,
            failed=now.failed,
            missing=now.missing,
            indexed=now.indexed,
            seconds=round(time.monotonic() - started, 2),
            model=self._encoder.name,
            interrupted=self._cancelled(),
            continued=continued,
            absent=tuple(root for root in roots if header and root not in header.walked),
            unreadable=header.unreadable if header else (),
            index_note=note,
        )
        if not summary.interrupted:
            runs.finish(self._database.connection, run.id, summary.as_json())
        return summary

    def _cut_off(self, roots: tuple[bytes, ...]) -> tuple[Run, FileListHeader] | tuple[None, None]:
        """The last run and its list, when it was over these roots and never came to its end."""
        run = runs.cut_off(self._database.connection)
        try:
            header = file_list.read_header(self._settings.file_list_path)
        except FileListError:
            header = None
        if run and header and header.started == run.started and header.roots == roots:
            return run, header
        return None, None

    def _scan(self, roots: tuple[bytes, ...]) -> tuple[Run, FileListHeader | None]:
        """Walk the roots into a new file list; no list when the walk was cancelled."""
        run = runs.start(self._database.connection, time.time())
        meter = Meter("scan", None, self._report)
        walk = Walk(roots)
        with FileListWriter(self._settings.file_list_path) as writer:
            for entry in walk:
                if self._cancelled():
                    return run, None
                writer.write(entry)
                meter.add(1)
            header = FileListHeader(
                roots, walk.walked, tuple(walk.unreadable), run.started, writer.count
            )
            writer.finish(header)
        meter.end()
        return run, header

    def _apply(self, run: Run, header: FileListHeader) -> None:
        path = self._settings.file_list_path
        with self._database.transaction() as connection:
            files.remember_roots(connection, header.walked)
            files.apply_list(
                connection,
                file_list.read_entries(path),
                header.walked,
                header.unreadable,
                time.time(),
            )
            runs.set_listed(connection, run.id)

    def _read(self, roots: tuple[bytes, ...]) -> tuple[int, int, str | None]:
        """Read, encode and index what is missing.

        Gives the files there were to read, the pictures that were encoded, and a sentence when
        the index was left to somebody else.
        """
        connection = self._database.connection
        total = files.count_work(connection, self._space.id, roots)
        work = files.work(connection, self._space.id, roots)
        reader = Reader(
            self._database,
            self._space,
            self._encoder,
            Thumbnails(self._settings.thumbnail_dir),
            self._settings.max_image_megapixels,
        )
        committer = Committer(self._database, self._space)
        meter = Meter("read", total, self._report)
        encoded = 0
        with self._feeder() as feeder:
            with Pipeline(reader, self._encoder, self._cancelled) as pipeline:
                for batch in pipeline.batches(work):
                    done = committer.commit(batch)
                    feeder.committed(done.encoded)
                    encoded += done.encoded
                    meter.add(done.files, done.failed, done.bytes)
            meter.end()
        return total, encoded, feeder.note

    def _feeder(self) -> IndexFeeder:
        return IndexFeeder(
            self._settings.data_dir, self._database, self._space, self._report, self._cancelled
        )
