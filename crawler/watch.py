"""`--watch`: the library follows its folders, until somebody ends it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from crawler.changes import Changes
from crawler.crawl import Crawl, Seen
from crawler.events import events
from crawler.selection import Selection
from library import excludes
from library.database import Database
from library.errors import CrawlBusyError
from library.models import FileEntry, display_path
from library.settings import Settings

_SECONDS_BETWEEN_TRIES = 2.0

Say = Callable[[str], None]
_Identities = dict[bytes, tuple[int, int]]


class Watch:
    """Follows some roots by a crawl, whose encoder stays loaded, until `stopped` is set.

    `say` gets a line an update. What events cannot tell (a root that comes back, new links, names
    that are no UTF-8, more folders than the system watches) is left to a whole crawl.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        crawl: Crawl,
        roots: Sequence[bytes],
        say: Say,
        stopped: threading.Event,
    ) -> None:
        self._settings = settings
        self._database = database
        self._crawl = crawl
        self._roots = tuple(roots)
        self._say = say
        self._stopped = stopped
        self._said: set[str] = set()

    def run(self, first: Callable[[], object]) -> None:
        """Do the `first` crawl, then follow.

        Raises what a crawl raises, but waits where another one is at work.
        """
        crawl: Callable[[], object] = first
        while not self._stopped.is_set():
            present = self._present()
            with closing(events(list(present), self._stopped, self._say_once)) as happening:
                next(happening, None)  # from here on nothing that happens is lost
                self._when_free(crawl)
                self._follow(happening, present)
            crawl = self._crawl_again

    def _follow(self, happening: Iterator[list[bytes]], present: _Identities) -> None:
        """Take in what happens, until that needs a whole crawl."""
        selection = Selection(
            excludes.excludes(self._database.connection), self._settings.raw_beside_jpeg
        )
        changes = Changes(self._database, present, selection, self._settings.thumbnail_dir)
        for paths in happening:
            changes.note(paths)
            new, gone = changes.settled(time.monotonic())
            # A disk that was unplugged took its files with it: nothing there is gone.
            if changes.needs_crawl or self._present() != present:
                return
            if new or gone:
                self._look_at(list(present), new, gone)

    def _look_at(self, roots: list[bytes], new: list[FileEntry], gone: list[bytes]) -> None:
        self._when_free(lambda: self._tell(self._crawl.look_at(roots, new, gone)))

    def _crawl_again(self) -> None:
        """Crawl everything, and tell what came of it as of any update."""
        summary = self._crawl.run(self._roots)
        known = max(0, summary.files - summary.skipped - summary.encoded)
        self._tell(Seen(summary.encoded, known, 0, 0))
        for root in summary.absent:
            self._say_once(
                f"No pictures in {display_path(root)} now: "
                "what was known of it is left as it is until they are back."
            )

    def _when_free(self, act: Callable[[], object]) -> None:
        """Do something that needs the library for itself, as soon as no other crawl is at work."""
        while not self._stopped.is_set():
            try:
                act()
                return
            except CrawlBusyError:
                self._say_once("Another crawl is at work in this library: waiting for its end.")
                self._stopped.wait(_SECONDS_BETWEEN_TRIES)

    def _tell(self, seen: Seen) -> None:
        parts = [
            _many(seen.encoded, "new picture"),
            _many(seen.known, "file moved, copied or touched", "files moved, copied or touched"),
            _many(seen.missing, "file gone", "files gone"),
            _many(seen.failed, "file that cannot be read", "files that cannot be read"),
        ]
        if line := ", ".join(filter(None, parts)):
            self._say(line)

    def _say_once(self, line: str) -> None:
        """Say what happens again and again, and would then be said again and again."""
        if line not in self._said:
            self._said.add(line)
            self._say(line)

    def _present(self) -> _Identities:
        """The roots that are there, and which folder each is: another disk has another."""
        present = {}
        for root in self._roots:
            try:
                info = os.stat(root)
            except OSError:
                continue
            present[root] = info.st_dev, info.st_ino
        return present


def _many(count: int, one: str, more: str | None = None) -> str:
    """A count in words; empty for none."""
    if count == 0:
        return ""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
