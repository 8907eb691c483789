"""Access: a password, for a site that more than one's own machine can reach.

With AUTH_TOKEN nothing is shown to whoever has not entered it: browsers get a cookie for it,
programs send it (RFC 6750, `Authorization: Bearer TOKEN`). The cookie is not the password, only
made from it, and is no longer believed when the password changes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
import time
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from library.errors import SettingsError
from library.settings import SHORTEST_PASSWORD, Settings
from web.site import the_site

blueprint = Blueprint("access", __name__)

_COOKIE = "kindred"
_YEAR = 365 * 24 * 3600
# Each address gets one guess in this time: a person's pace. Nobody is made to wait for it in a
# thread, of which the site has few.
_SECONDS_A_GUESS = 1.0
_MOST_GUESSERS = 1_000
_OPEN_TO_ALL = frozenset({"access.enter", "access.check", "static"})


_guessing = threading.Lock()
_guessers: dict[str, float] = {}
"""When each address that guessed a moment ago may guess again."""


def install(app: Flask, settings: Settings) -> None:
    """Put the password, if there is one, before every request of `app`.

    Raises SettingsError when there is none and others than this machine's programs reach the site.
    """
    token = settings.auth_token
    if token is None:
        if not is_own_address(settings.host):
            raise SettingsError(
                f"on {settings.host} everybody in the network could look at the pictures: set "
                f"AUTH_TOKEN to a password of {SHORTEST_PASSWORD} characters or more, or listen on "
                "127.0.0.1"
            )
        return

    def ask() -> Response | None:
        if request.endpoint in _OPEN_TO_ALL or _is_known(token):
            return None
        if request.path.startswith("/api/"):
            abort(401, "Send the site's password: Authorization: Bearer ...")
        to = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("access.enter", to=to or None))

    app.before_request(ask)
    app.register_blueprint(blueprint)


def is_own_address(host: str) -> bool:
    """Whether only programs of this machine reach what listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@blueprint.get("/enter")
def enter() -> str:
    """The page that asks for the password."""
    return render_template("enter.html", to=_inside(request.args.get("to", "")), state="new")


@blueprint.post("/enter")
def check() -> Response:
    """Let in whoever has the password."""
    token = the_site().settings.auth_token
    assert token is not None  # else there is no such page
    to = _inside(request.form.get("to", ""))
    if not _may_guess(request.remote_addr or ""):
        return make_response(render_template("enter.html", to=to, state="fast"), 429)
    if not _is_token(request.form.get("password", ""), token):
        return make_response(render_template("enter.html", to=to, state="wrong"), 401)
    response = redirect(to)
    response.set_cookie(
        _COOKIE, _pass(token), max_age=_YEAR, httponly=True, samesite="Strict", path="/"
    )
    return response


def _may_guess(address: str) -> bool:
    """Whether this address has not guessed within the last second; if so, it has now."""
    now = time.monotonic()
    with _guessing:
        for one in [one for one, due in _guessers.items() if due <= now]:
            del _guessers[one]
        if address in _guessers or len(_guessers) >= _MOST_GUESSERS:
            return False
        _guessers[address] = now + _SECONDS_A_GUESS
    return True


def _is_known(token: str) -> bool:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _is_token(sent.strip(), token):
        return True
    return hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), _pass(token).encode())


def _is_token(sent: str, token: str) -> bool:
    """Compared in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(sent.encode(), token.encode())


def _pass(token: str) -> str:
    return hmac.new(token.encode(), the_site().library_id.encode(), hashlib.sha256).hexdigest()


def _inside(to: str) -> str:
    """An address of this site to go on to; whatever leads elsewhere is its first page."""
    parts = urlsplit(to)
    is_inside = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc
    return to if is_inside else url_for("pages.home")
