"""The library: its folders, what could not be read, model, index, disk; what can be done to it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from library import files, runs, status
from library.models import RootCounts, display_path
from web import guard
from web.paging import page_number
from web.said import said
from web.site import the_site

blueprint = Blueprint("library", __name__)

_FAILURES = 100


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the library as the page shows it."""

    path: str
    counts: RootCounts
    there: bool


@blueprint.get("/library")
def page() -> str:
    """What the library holds, and how it is."""
    site = the_site()
    connection = site.database.connection
    found = status.look(site.settings, site.database)
    return render_template(
        "library.html",
        status=found,
        roots=[Root(display_path(r.path), r, os.path.isdir(r.path)) for r in found.roots],
        excludes=[display_path(pattern) for pattern in found.excludes],
        model=site.model,
        index=site.keeper.state,
        last=runs.newest(connection),
        unread=files.count_work(connection, site.space.id, [b"/"]),
    )


@blueprint.get("/library/failures")
def failures() -> str:
    """The files that could not be read and why, a page at a time."""
    connection = the_site().database.connection
    number = page_number()
    found = files.failures(connection, _FAILURES + 1, (number - 1) * _FAILURES)
    return render_template(
        "failures.html",
        failures=[(display_path(each.path), said(each.reason)) for each in found[:_FAILURES]],
        page=number,
        more=url_for(".failures", page=number + 1) if len(found) > _FAILURES else None,
    )


@blueprint.post("/library/index")
def rebuild() -> Response:
    """Throw the index away and make it again."""
    guard.only_from_this_machine()
    the_site().keeper.rebuild()
    return redirect(url_for(".page"), 303)
