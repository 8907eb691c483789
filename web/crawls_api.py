"""Crawls in the JSON API: begun, followed, stopped."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, request, url_for

from library import files
from library.models import display_path
from web import crawl_state, guard, places
from web.places import PlaceError
from web.site import the_site

blueprint = Blueprint("crawls_api", __name__, url_prefix="/api/v1/crawls")

Json = dict[str, Any]

_RUN = "<int(max=9223372036854775807):run_id>"


@blueprint.post("")
def start() -> tuple[Json, int, dict[str, str]]:
    """Begin to crawl the JSON field `folder`."""
    guard.only_from_this_machine()
    fields = request.get_json()
    folder = fields.get("folder") if isinstance(fields, dict) else None
    if not isinstance(folder, str):
        abort(400, 'Say which folder: {"folder": "/home/me/Pictures"}')
    site = the_site()
    allowed = places.places(site.settings, files.roots(site.database.connection))
    try:
        # Python's JSON has what is not UTF-8 as lone surrogates, as os.fsdecode writes it.
        path = places.chosen(folder.encode("utf-8", "surrogateescape"), allowed)
    except UnicodeEncodeError:
        abort(400, "The folder is no path.")
    except PlaceError as error:
        abort(error.status, str(error))
    run_id = crawl_state.start(site, [path])
    return _crawl(run_id), 202, {"Location": url_for(".crawl", run_id=run_id)}


@blueprint.get(f"/{_RUN}")
def crawl(run_id: int) -> Json:
    """How far a crawl is, or what it came to."""
    return _crawl(run_id)


@blueprint.delete(f"/{_RUN}")
def cancel(run_id: int) -> tuple[Json, int]:
    """Have a crawl end with the batch in hand."""
    guard.only_from_this_machine()
    crawl_state.cancel(the_site(), run_id)
    return _crawl(run_id), 202


def _crawl(run_id: int) -> Json:
    found = crawl_state.find(the_site(), run_id)
    return {
        "id": run_id,
        "state": found.state,
        "folders": [display_path(root) for root in found.run.roots],
        "started": found.run.started,
        "finished": found.run.finished,
        "process": found.at_work.process if found.at_work else None,
        "progress": asdict(found.progress) if found.progress else None,
        "left": found.left,
        "failure": found.failure,
        "summary": found.run.summary,
        "urls": {"page": url_for("crawls.page", run_id=run_id)},
    }
