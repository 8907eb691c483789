"""The addresses of style sheet, scripts and icon: each names its content, so browsers keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, request, url_for

_KEPT = "private, max-age=31536000, immutable"


def install(app: Flask) -> None:
    """Give the templates of `app` the function `asset(filename)`."""
    assert app.static_folder is not None
    folder = Path(app.static_folder)
    versions: dict[str, tuple[int, str]] = {}

    def asset(filename: str) -> str:
        changed = (folder / filename).stat().st_mtime_ns
        known = versions.get(filename)
        if known is None or known[0] != changed:
            digest = hashlib.blake2b((folder / filename).read_bytes(), digest_size=6)
            known = versions[filename] = (changed, digest.hexdigest())
        return url_for("static", filename=filename, v=known[1])

    def keep(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = _KEPT
        return response

    app.jinja_env.globals["asset"] = asset
    app.after_request(keep)
