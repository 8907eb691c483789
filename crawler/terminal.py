"""How a crawl looks in a terminal: a bar where there is one, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from crawler.crawl import Summary
from crawler.selection import BESIDE
from library.figures import STAGES, duration, figures
from library.formats import EXTRAS
from library.models import Failure, Progress, display_path
from mlx_clip.names import DEFAULT, STARTER

if TYPE_CHECKING:
    from crawler.bar import Bar

_SECONDS_BETWEEN_LINES = 5.0
_FAILURES_SHOWN = 10


def display() -> Bar | Lines:
    """What shows progress on standard error: a context manager, called as a crawl's report."""
    if not sys.stderr.isatty():
        return Lines()
    # A tenth of a second, which a crawl that nobody watches need not pay.
    from crawler.bar import Bar

    return Bar()


class Lines:
    """Prints Progress as a line every few seconds."""

    def __init__(self) -> None:
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, progress: Progress) -> None:
        """Say where the crawl is, when it is time."""
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            print(f"{STAGES[progress.stage]}: {figures(progress)}", file=sys.stderr, flush=True)


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
    lines += _passed_over_lines(summary)
    lines += _altered_lines(summary)
    if summary.forgotten:
        lines.append(
            f"Forgotten: {summary.forgotten.files:,} files that are gone, and "
            f"{summary.forgotten.pictures:,} pictures that are in no file any more."
        )
    lines += _failure_lines(summary, failures)
    if summary.index_note:
        lines.append(f"Not indexed here: {summary.index_note}.")
    return lines


def _passed_over_lines(summary: Summary) -> list[str]:
    lines = [
        f"{summary.passed_over[extra.kind]:,} {extra.kind} skipped: "
        f".venv/bin/python -m pip install {extra.package}"
        for extra in EXTRAS
        if extra.kind in summary.passed_over
    ]
    if BESIDE in summary.passed_over:
        lines.append(
            f"{summary.passed_over[BESIDE]:,} {BESIDE} of the same name skipped "
            "(RAW_BESIDE_JPEG=read reads them)."
        )
    return lines


def _altered_lines(summary: Summary) -> list[str]:
    if not summary.altered:
        return []
    lines = [
        f"{len(summary.altered):,} files hold something else than before, though their size and "
        "date are the same (a failing disk, or a program that hides its changes):"
    ]
    lines += [f"  {display_path(path)}" for path in summary.altered[:_FAILURES_SHOWN]]
    if len(summary.altered) > _FAILURES_SHOWN:
        lines.append(f"  ... and {len(summary.altered) - _FAILURES_SHOWN:,} more.")
    return lines


def _failure_lines(summary: Summary, failures: list[Failure]) -> list[str]:
    if not summary.failed:
        return []
    lines = [f"{summary.failed:,} files could not be read:"]
    lines += [f"  {display_path(f.path)}: {f.reason}" for f in failures[:_FAILURES_SHOWN]]
    if len(failures) > _FAILURES_SHOWN:
        lines.append("  ... `python -m library failures` lists them all.")
    return lines
