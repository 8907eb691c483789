"""Theme: light, dark, or as the system has it; kept in a cookie that every page is rendered by."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from web.language import gettext

blueprint = Blueprint("theme", __name__)

THEMES = ("system", "light", "dark")
COOKIE = "theme"
_YEARS = 10 * 365 * 24 * 3600


def chosen() -> str:
    """The theme that this browser chose, one of THEMES."""
    theme = request.cookies.get(COOKIE, "")
    return theme if theme in THEMES else "system"


@blueprint.post("/theme")
def choose() -> Response:
    """Remember a theme, and go back to the page that the form stood on."""
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        abort(400, gettext("There is no such theme: choose light, dark or as the system."))
    answer = redirect(_where_from(), code=303)
    answer.set_cookie(COOKIE, theme, max_age=_YEARS, samesite="Lax")  # scripts read it
    return answer


def _where_from() -> str:
    """The page before this request, as an address on this site."""
    page = urlsplit(request.referrer or "")
    if page.netloc != request.host or page.path.startswith("//"):
        return url_for("pages.home")
    return page.path + (f"?{page.query}" if page.query else "")
