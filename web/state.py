"""The state of the library in a line: how many pictures, which model, and how the index is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from flask import url_for

from library import counts, runs
from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.figures import size
from library.models import IndexState, Progress
from web.language import gettext, gettext_noop
from web.said import said
from web.site import the_site
from web.units import duration, number

STARTER_NOTE = gettext_noop(
    "The starter model comes with Kindred and needs no download. It knows objects, animals, "
    "vehicles, food and plants; it is weak at people, feelings, scenes, style, counting, text in "
    "pictures, and languages other than English. A real CLIP knows them, for a download of about "
    "600 MB:"
)

_STAGES = {
    "scan": gettext_noop("Looking for pictures"),
    "read": gettext_noop("Reading"),
    "index": gettext_noop("Indexing"),
}
_INDEX = {
    "behind": gettext_noop("The index is catching up"),
    "checking": gettext_noop("The index is being opened"),
    "rebuilding": gettext_noop("The index is being built"),
    "busy": gettext_noop("The index is in use by %(owner)s"),
    "unreachable": gettext_noop("The Chroma server that CHROMA_URL names does not answer"),
    "closed": gettext_noop("The index is closed"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What stands at the foot of every page."""

    pictures: int
    model: str
    runtime: str
    """What the model runs on and why, as a sentence."""
    note: str | None
    """What the starter model is good for, where it is in use, ending in a colon and ..."""
    command: str
    """... the command that starts Kindred with a real CLIP."""
    index: str | None
    """A sentence, while the index is not current."""
    crawl: str | None
    """Where the crawl is that is at work."""
    crawl_url: str | None
    """The page of that crawl, or of one that was cut off."""


def line() -> Line:
    """The state right now."""
    site = the_site()
    pictures = counts.pictures(site.database.connection)
    state = site.keeper.state
    model = gettext("starter model") if site.model.starter else site.model.name
    index = _index_sentence(state, site.keeper.owner, site.keeper.left)
    return Line(
        pictures,
        model,
        gettext(
            "It runs on %(runtime)s: %(why)s.",
            runtime=site.model.runtime,
            why=said(site.model.why),
        ),
        gettext(STARTER_NOTE) if site.model.starter else None,
        f"make run CLIP_MODEL={site.model.alternative}",
        index,
        *_crawl(site.settings.data_dir, site.database.connection),
    )


def _crawl(data_dir: Path, connection: Connection) -> tuple[str | None, str | None]:
    """The crawl that is at work, in figures, and the page of it or of one that was cut off."""
    crawl = crawl_at_work(data_dir)
    if crawl is None:
        run = runs.cut_off(connection)
        return None, None if run is None else url_for("crawls.page", run_id=run.id)
    place = url_for("crawls.page", run_id=crawl.run) if crawl.run else url_for("library.page")
    return _figures(crawl), place


def _figures(crawl: CrawlAtWork) -> str:
    progress = crawl.progress
    if progress is None:
        return gettext("A crawl has begun")
    return f"{gettext(_STAGES[progress.stage])}: {', '.join(_parts(progress))}"


def _parts(progress: Progress) -> Iterator[str]:
    """As library/figures.py has it for the terminal."""
    done = number(progress.done)
    if progress.total is None:
        yield done
    else:
        yield gettext("%(number)s of %(total)s", number=done, total=number(progress.total))
    yield gettext("%(number)s/s", number=number(progress.rate, 1))
    if progress.bytes >= 1e6:
        yield size(progress.bytes)
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        yield gettext("%(time)s left", time=duration(progress.seconds_left))
    if progress.failed:
        yield gettext("%(number)s could not be read", number=number(progress.failed))


def _index_sentence(state: IndexState, owner: str, left: int) -> str | None:
    if state == "current":
        return None
    sentence = gettext(_INDEX[state], owner=said(owner))
    if state in ("behind", "rebuilding") and left:
        to_go = gettext("%(number)s pictures to go", number=number(left))
        sentence = f"{sentence}, {to_go}"
    return gettext("%(index)s; answers are complete all the same.", index=sentence)
