"""The first stage of a crawl: folders -> a file list -> the table of files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from crawler.file_list import Asked, FileList, FileListHeader, FileListWriter
from crawler.progress import Meter, Report
from crawler.scan import Walk
from crawler.selection import Selection
from library import files, listings, runs
from library.database import Database
from library.errors import FileListError
from library.runs import Run
from library.settings import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """A file list that the table of files is in line with."""

    run: Run
    header: FileListHeader
    count: int
    continued: bool
    """The list is that of a run that was cut off."""


class Finder:
    """Walks roots and brings the table of files in line with what is there."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        report: Report,
        cancelled: Callable[[], bool],
        began: Callable[[int], None],
    ) -> None:
        """`began` is told the number of the run, be it new or one that goes on."""
        self._path = settings.file_list_path
        self._thumbnails = settings.thumbnail_dir
        self._database = database
        self._report = report
        self._cancelled = cancelled
        self._began = began

    def find(self, asked: Asked) -> Found | None:
        """Walk, or take the list of a run that was asked the same and cut off; None if cancelled.

        A list is applied once: a run that goes on does not apply an old one over what was read
        since.
        """
        run = runs.cut_off(self._database.connection)
        whole = self._list_of(run, asked) if run else None
        continued = whole is not None
        if run is None or whole is None:
            run = runs.start(self._database.connection, time.time(), asked.roots)
        self._began(run.id)
        if whole is None:
            if not self._walk(run, asked):
                return None
            whole = FileList(self._path)
        if not run.listed:
            self._apply(run, whole)
        return Found(run, whole.header, whole.count, continued)

    def _list_of(self, run: Run, asked: Asked) -> FileList | None:
        """The list of a run that was cut off, when it was asked the same."""
        try:
            whole = FileList(self._path)
        except FileListError:
            return None
        wanted = whole.header.started == run.started and whole.header.asked == asked
        return whole if wanted else None

    def _walk(self, run: Run, asked: Asked) -> bool:
        """Walk the roots into a new file list; False when the walk was cancelled."""
        meter = Meter("scan", None, self._report)
        # A library may lie among the pictures that it is of: its thumbnails are none of them.
        selection = Selection(asked.excludes, asked.raw_beside_jpeg)
        walk = Walk(asked.roots, selection, apart=self._thumbnails)
        with FileListWriter(self._path) as writer:
            for folder, entries in walk:
                if self._cancelled():
                    return False
                writer.write(folder, entries)
                meter.add(len(entries))
            unreadable, skipped = tuple(walk.unreadable), dict(walk.skipped)
            writer.finish(FileListHeader(asked, walk.walked, unreadable, skipped, run.started))
        meter.end()
        return True

    def _apply(self, run: Run, whole: FileList) -> None:
        header = whole.header
        with self._database.transaction() as connection:
            files.remember_roots(connection, header.walked)
            listings.apply_list(
                connection,
                whole.digests,
                whole.entries,
                header.walked,
                header.unreadable,
                time.time(),
            )
            if header.asked.rehash:
                files.check_again(connection, header.walked)
            if header.asked.retry:
                files.try_again(connection, header.walked)
            runs.set_listed(connection, run.id)
