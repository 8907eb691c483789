"""Bar: a crawl's progress as a bar, where there is a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Columns

from library.figures import STAGES, figures
from library.models import Progress


class Bar:
    """Shows Progress on standard error. Use as a context manager; call it as the report."""

    def __init__(self) -> None:
        self._columns = Columns(
            TextColumn("{task.description:<20}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=Console(stderr=True),
        )
        self._stage = ""
        self._task = self._columns.add_task("", total=None, figures="", visible=False)

    def __enter__(self) -> Bar:
        self._columns.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._columns.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the crawl is."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._columns.remove_task(self._task)
            self._task = self._columns.add_task(STAGES[progress.stage], figures="")
        self._columns.update(
            self._task,
            total=progress.total,
            completed=progress.done,
            figures=figures(progress),
        )
