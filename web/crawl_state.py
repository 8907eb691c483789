"""A crawl as the site shows it: what the database, the lock and this process know of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask import abort

from library import files, runs
from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.errors import CrawlBusyError, DatabaseError
from library.models import Progress
from library.runs import RunRecord
from web.language import gettext
from web.site import Site

State = Literal["running", "finished", "stopped", "superseded"]


@dataclass(frozen=True, slots=True)
class CrawlState:
    """A run. `stopped`: it can go on; `superseded`: it never ended, and a later one has begun."""

    run: RunRecord
    state: State
    at_work: CrawlAtWork | None
    """The process that runs it and how far it is, while it runs."""
    here: bool
    """Whether this process runs it, which alone can stop it."""
    ending: bool
    """Whether it was stopped, and still has pictures in hand."""
    failure: str | None
    """Why it ended before its time, where this process knows."""
    left: int
    """The files that are still to be read, once it was stopped."""

    @property
    def progress(self) -> Progress | None:
        """How far it is, while it runs and has said so."""
        return self.at_work.progress if self.at_work else None


def find(site: Site, run_id: int) -> CrawlState:
    """A run by its number; the request ends with 404 where there is none."""
    at_work = crawl_at_work(site.settings.data_dir)
    connection = site.database.connection
    run = runs.record(connection, run_id)
    if run is None:
        abort(404, gettext("There is no crawl with this number."))
    if at_work is not None and at_work.run != run_id:
        at_work = None
    state: State = "running"
    if at_work is None and run.finished is not None:
        state = "finished"
    elif at_work is None:
        state = "stopped" if run.id == runs.newest(connection) else "superseded"
    left = files.count_work(connection, site.space.id, run.roots) if state == "stopped" else 0
    return CrawlState(
        run,
        state,
        at_work,
        site.crawls.run == run_id,
        site.crawls.is_ending(run_id),
        site.crawls.failure(run_id),
        left,
    )


def start(site: Site, folders: Sequence[bytes]) -> int:
    """Begin a crawl; gives its number.

    The request ends with 409 while another is at work, and with 503 where nothing can be written.
    """
    try:
        return site.crawls.start(folders)
    except CrawlBusyError:
        abort(409, _who_is_at_work(site))
    except DatabaseError as error:
        abort(503, f"{error}.")


def cancel(site: Site, run_id: int) -> None:
    """Have a crawl end with the batch in hand. The request ends with 409 where that cannot be."""
    found = find(site, run_id)
    if found.at_work is None:
        abort(409, gettext("This crawl is not at work."))
    if not site.crawls.cancel(run_id):
        said = gettext(
            "Another program began this crawl (process %(number)s): Ctrl-C there stops it.",
            number=found.at_work.process,
        )
        abort(409, said)


def _who_is_at_work(site: Site) -> str:
    crawl = crawl_at_work(site.settings.data_dir)
    if crawl is None:
        return gettext("Another crawl was at work a moment ago. Try again.")
    if crawl.run is not None and crawl.run == site.crawls.run:
        return gettext("A crawl is at work already. Wait for its end, or stop it.")
    return gettext(
        "Another program crawls into this library at the moment (process %(number)s). "
        "Wait for its end.",
        number=crawl.process,
    )
