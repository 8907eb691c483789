"""Background: crawls in a thread of the process, beside whatever else it does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

from crawler.crawl import Crawl
from crawler.foreground import Foreground
from crawler.roots import outermost
from library import files
from library.crawl_lock import forget_namesake
from library.database import Database
from library.errors import LibraryError
from library.settings import Settings
from mlx_clip import Encoder, EncoderError

logger = logging.getLogger(__name__)

_OUR_MISTAKE = "Kindred made a mistake. What happened stands in the terminal that it runs in"


@dataclass(frozen=True, slots=True)
class _Job:
    """A crawl of this process, with its number among the runs."""

    thread: threading.Thread
    cancelled: threading.Event
    run: int


class Background:
    """Crawls of one process, one at a time, with the model that it has loaded already.

    They leave the index to whoever in this process has it open, and give way to `foreground`.
    Methods may be called from any thread.
    """

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._settings = settings
        self._encoder = encoder
        self.foreground = Foreground()
        self._starting = threading.Lock()
        self._job: _Job | None = None
        self._failed: tuple[int, str] | None = None
        forget_namesake(settings.data_dir)

    def start(self, folders: Sequence[bytes]) -> int:
        """Begin to crawl some folders; gives the number of the run.

        Goes on where a crawl through the same folders was cut off. Raises CrawlBusyError when
        another crawl is at work in the library, of whatever process.
        """
        cancelled, run = threading.Event(), Future[int]()
        thread = threading.Thread(
            target=self._crawl, args=(folders, cancelled, run), name="crawl", daemon=True
        )
        with self._starting:
            thread.start()
            number = run.result()
            self._job = _Job(thread, cancelled, number)
        return number

    @property
    def run(self) -> int | None:
        """The number of the run that is at work here, or None."""
        job = self._job
        return job.run if job is not None and job.thread.is_alive() else None

    def failure(self, run: int) -> str | None:
        """Why a crawl of this process ended before its time, in words; None for any other."""
        failed = self._failed
        return failed[1] if failed is not None and failed[0] == run else None

    def cancel(self, run: int) -> bool:
        """Have a crawl end with the batch in hand; False when it is not at work here."""
        job = self._job
        if job is None or self.run != run:
            return False
        job.cancelled.set()
        return True

    def is_ending(self, run: int) -> bool:
        """Whether a crawl was cancelled and still has its last batch in hand."""
        job = self._job
        return job is not None and self.run == run and job.cancelled.is_set()

    def stop(self) -> None:
        """Cancel what is at work and wait for its end."""
        job = self._job
        if job is not None:
            job.cancelled.set()
            job.thread.join()

    def _crawl(
        self, folders: Sequence[bytes], cancelled: threading.Event, run: Future[int]
    ) -> None:
        try:
            # Of its own, because what its threads have opened is closed with it.
            database = Database(self._settings.database_path)
            with closing(database), database.in_words():
                roots = outermost(folders, files.roots(database.connection))
                crawl = Crawl(
                    self._settings,
                    database,
                    self._encoder,
                    cancelled=cancelled.is_set,
                    began=run.set_result,
                    feeds_index=False,
                    give_way=self.foreground.give_way,
                )
                crawl.run(roots)
        except BaseException as error:
            self._note(error, run)

    def _note(self, error: BaseException, run: Future[int]) -> None:
        if not run.done():
            run.set_exception(error)
            return
        expected = isinstance(error, (LibraryError, EncoderError))
        if not expected:
            logger.exception("the crawl failed")
        self._failed = (run.result(), str(error) if expected else _OUR_MISTAKE)
