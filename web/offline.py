"""Offline: what a browser that knows Kindred shows while Kindred is not running."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, make_response, render_template

blueprint = Blueprint("offline", __name__)


@blueprint.get("/offline")
def page() -> str:
    """The page that says so; it asks nothing of the library."""
    return render_template("offline.html")


@blueprint.get("/worker.js")
def worker() -> Response:
    """The service worker that keeps this page. It changes, and is installed anew, as the page does.

    It stands at the root, because a worker sees only what lies beside it and below.
    """
    version = hashlib.blake2b(page().encode(), digest_size=6).hexdigest()
    response = make_response(render_template("worker.js", version=version))
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response
