"""CrawlLock: one crawl at a time in a library, whose it is, and where it stands."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from library.errors import CrawlBusyError
from library.models import Progress

_SECONDS_BETWEEN = 0.5


class CrawlLock:
    """Held for the time of a crawl; entering raises CrawlBusyError while another has it.

    `show` tells everybody who looks, in this process or another, how far the crawl is.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._run: int | None = None
        self._lock = FileLock(data_dir / "crawl.lock", timeout=0)
        self._shown: tuple[str, float] = ("", 0.0)

    def __enter__(self) -> CrawlLock:
        try:
            self._lock.acquire()
        except Timeout:
            crawl = crawl_at_work(self._data_dir)
            who = f"another crawl, process {crawl.process}," if crawl else "another crawl"
            raise CrawlBusyError(
                f"{who} is at work in {self._data_dir}: "
                "wait for its end, or name another library with --data"
            ) from None
        self._write(None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _crawl_file(self._data_dir).unlink(missing_ok=True)
        self._run = None
        self._lock.release()

    def begin(self, run_id: int) -> None:
        """Let others see which crawl it is."""
        self._run = run_id
        self._write(None)

    def show(self, progress: Progress) -> None:
        """Let others see the progress: each stage's beginning, then twice a second."""
        stage, shown_at = self._shown
        now = time.monotonic()
        if progress.stage != stage or now - shown_at >= _SECONDS_BETWEEN:
            self._shown = (progress.stage, now)
            self._write(progress)

    def _write(self, progress: Progress | None) -> None:
        path = _crawl_file(self._data_dir)
        partial = path.with_suffix(".partial")
        state = {
            "process": os.getpid(),
            "run": self._run,
            "progress": asdict(progress) if progress else None,
        }
        # Nothing is lost with it, so a disk that is full does not end the crawl here.
        with contextlib.suppress(OSError):
            partial.write_text(json.dumps(state), encoding="ascii")
            partial.replace(path)


@dataclass(frozen=True, slots=True)
class CrawlAtWork:
    """A crawl: its process, its number among the runs, and its progress once there is any."""

    process: int
    run: int | None
    """None before it has one, and where a few files are looked at, as `--watch` does."""
    progress: Progress | None


def crawl_at_work(data_dir: Path) -> CrawlAtWork | None:
    """The crawl that is at work in a library, or None.

    Asks without touching the lock, which would turn away a crawl that starts at that moment.
    """
    try:
        state = json.loads(_crawl_file(data_dir).read_text(encoding="ascii"))
        os.kill(state["process"], 0)
        progress = Progress(**state["progress"]) if state["progress"] else None
        run = state["run"]
    except PermissionError:  # it is somebody else's, and alive
        run = progress = None
    except (OSError, ValueError, TypeError, KeyError):  # no crawl, or one that was killed
        return None
    return CrawlAtWork(state["process"], run, progress)


def forget_namesake(data_dir: Path) -> None:
    """Remove what a crawl of this process's own number left, before this process has begun one.

    It was killed. In a container a program that is started again often has its old number.
    """
    crawl = crawl_at_work(data_dir)
    if crawl is not None and crawl.process == os.getpid():
        _crawl_file(data_dir).unlink(missing_ok=True)


def _crawl_file(data_dir: Path) -> Path:
    return data_dir / "crawl.open"
