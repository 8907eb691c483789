"""How a crawl looks in a terminal: a bar where there is one, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from crawler.crawl import Summary
from library.figures import STAGES, duration, figures
from library.models import Failure, Progress, display_path
from mlx_clip import DEFAULT, STARTER

_SECONDS_BETWEEN_LINES = 5.0
_FAILURES_SHOWN = 10


class Display:
    """Shows Progress on standard error. Use as a context manager; call it as the report."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description:<20}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._stage = ""
        self._task = self._bar.add_task("", total=None, figures="", visible=False)
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the crawl is."""
        if self._console.is_terminal:
            self._show_bar(progress)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            print(f"{STAGES[progress.stage]}: {figures(progress)}", file=sys.stderr, flush=True)

    def _show_bar(self, progress: Progress) -> None:
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._bar.remove_task(self._task)
            self._task = self._bar.add_task(STAGES[progress.stage], figures="")
        self._bar.update(
            self._task,
            total=progress.total,
            completed=progress.done,
            figures=figures(progress),
        )


def sentences(summary: Summary, failures: list[Failure]) -> list[str]:
    """The summary for people, a sentence a line."""
    lines = []
    for root in summary.absent:
        lines.append(
            f"No pictures in {display_path(root)}: it is missing, empty or unreadable. "
            "What was known of it was left as it is."
        )
    lines += [
        f"Could not look into {display_path(path)}."
        for path in summary.unreadable
        if path not in summary.absent
    ]
    if summary.continued:
        lines.append("Went on where the last crawl was cut off.")
    if summary.interrupted:
        lines.append("Interrupted: run the same command again to go on.")
    elif summary.files and summary.skipped == summary.files:
        lines.append(f"Nothing to do: all {summary.files:,} files are known and unchanged.")
    lines.append(
        f"{summary.files:,} files, {summary.pictures:,} pictures in the library; "
        f"{summary.encoded:,} encoded in {duration(summary.seconds)} with {summary.model}."
    )
    if summary.model.startswith(STARTER):
        lines.append(
            "That is the starter model, which knows things and little else. A real CLIP (a "
            f"download of about 600 MB): make run CLIP_MODEL={DEFAULT}"
        )
    if summary.missing:
        lines.append(f"{summary.missing:,} files that were known are not there any more.")
    lines += _failure_lines(summary, failures)
    if summary.index_note:
        lines.append(f"Not indexed here: {summary.index_note}.")
    return lines


def _failure_lines(summary: Summary, failures: list[Failure]) -> list[str]:
    if not summary.failed:
        return []
    lines = [f"{summary.failed:,} files could not be read:"]
    lines += [f"  {display_path(f.path)}: {f.reason}" for f in failures[:_FAILURES_SHOWN]]
    if len(failures) > _FAILURES_SHOWN:
        lines.append("  ... `python -m library failures` lists them all.")
    return lines
