"""The state of the library in a line: how many pictures, which model, and how the index is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from flask import url_for

from library import counts, runs
from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.figures import STAGES, figures
from library.models import IndexState
from web.site import the_site

STARTER_NOTE = (
    "The starter model comes with Kindred and needs no download. It knows objects, animals, "
    "vehicles, food and plants; it is weak at people, feelings, scenes, style, counting, text in "
    "pictures, and languages other than English. A real CLIP knows them, for a download of about "
    "600 MB:"
)

_INDEX = {
    "behind": "The index is catching up",
    "checking": "The index is being opened",
    "rebuilding": "The index is being built",
    "busy": "The index is in use by {owner}",
    "unreachable": "The Chroma server that CHROMA_URL names does not answer",
    "closed": "The index is closed",
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
    model = "starter model" if site.model.starter else site.model.name
    index = _index_sentence(state, site.keeper.owner, site.keeper.left)
    return Line(
        pictures,
        model,
        f"It runs on {site.model.runtime}: {site.model.why}.",
        STARTER_NOTE if site.model.starter else None,
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
    if crawl.progress is None:
        return "A crawl has begun"
    return f"{STAGES[crawl.progress.stage]}: {figures(crawl.progress)}"


def _index_sentence(state: IndexState, owner: str, left: int) -> str | None:
    if state == "current":
        return None
    said = _INDEX[state].format(owner=owner)
    if state in ("behind", "rebuilding") and left:
        said += f", {left:,} pictures to go"
    return f"{said}; answers are complete all the same."
