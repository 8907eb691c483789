"""Site: the parts that one running site is assembled from, as the routes reach them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from crawler.background import Background
from library.choices import ChoicesCache
from library.database import Database
from library.keeper import IndexKeeper
from library.settings import Settings
from library.spaces import Space
from library.thumbnails import Thumbnails
from search.duplicates import Duplicates
from search.engine import Engine
from search.relevance import Relevance
from search.styles import Styles
from web.fetch import Fetcher
from web.map_job import MapJob

_KEY = "kindred"


@dataclass(frozen=True, slots=True)
class Model:
    """The model in use, as people are told of it."""

    name: str
    starter: bool
    """True for the small model that comes with the project, which must be called what it is."""
    alternative: str
    """A real CLIP, for those who have the starter model."""
    runtime: str
    """What it runs on, as `ONNX Runtime on the CPU, float32`."""
    why: str
    """Why on that."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a request may need. Owned by the app that it is registered with."""

    settings: Settings
    database: Database
    space: Space
    model: Model
    keeper: IndexKeeper
    engine: Engine
    relevance: Relevance
    duplicates: Duplicates
    thumbnails: Thumbnails
    choices: ChoicesCache
    fetcher: Fetcher | None
    """What fetches pictures from the web; None while SEARCH_BY_URL is off."""
    crawls: Background
    styles: Styles
    map_job: MapJob
    library_id: str
    """Tells one library from another in the addresses of what browsers keep."""

    def close(self) -> None:
        """Close the index and the database. No request may be running, and none may follow."""
        self.crawls.stop()
        self.map_job.stop()
        self.duplicates.stop()
        self.relevance.close()
        self.keeper.stop()
        self.database.close()


def register(app: Flask, site: Site) -> None:
    """Make `site` the one that `the_site` gives in requests of `app`."""
    app.extensions[_KEY] = site


def the_site() -> Site:
    """The site of the app that handles the request at hand."""
    return of(current_app)


def of(app: Flask) -> Site:
    """The site of an app."""
    site = app.extensions[_KEY]
    assert isinstance(site, Site)
    return site
