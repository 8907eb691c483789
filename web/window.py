"""Window: the site in a window of its own, with the system's dialog for folders.

pywebview, which is an extra, shows it. The window proves with a key that it is the window: no other
page, and no browser, can make this machine show a dialog.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from library.errors import SettingsError

blueprint = Blueprint("window", __name__)

_KEY = "kindred-window"
_COOKIE = "window"
_SIZE, _LEAST_SIZE = (1280, 860), (360, 480)
_GROUND = "#141210"


class Window:
    """The window of this process. Raises SettingsError when pywebview is not installed."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(16)
        self._webview = _pywebview()
        self._shown: Any = None

    def show(self, address: str, storage: Path) -> None:
        """Show the site at an address; comes back when the window was closed.

        Only on the main thread. `storage` is where it keeps what browsers do, as the theme.
        Raises SettingsError when no window can be opened here.
        """
        webview = self._webview
        webview.settings["ALLOW_DOWNLOADS"] = True
        self._shown = webview.create_window(
            "Kindred",
            f"{address}/window?key={self.key}",
            width=_SIZE[0],
            height=_SIZE[1],
            min_size=_LEAST_SIZE,
            background_color=_GROUND,
            text_select=True,
        )
        try:
            # On Linux the extra brings Qt; GTK, which would be tried first, is seldom there.
            gui = "qt" if sys.platform == "linux" else None
            webview.start(gui=gui, private_mode=False, storage_path=str(storage))
        except webview.WebViewException as error:
            raise SettingsError(
                f"no window can be opened here: {error}. Without --window Kindred is a site"
            ) from error

    def choose_folder(self) -> str | None:
        """The folder that is chosen in the system's dialog; None when it is cancelled."""
        kind, home = self._webview.FileDialog.FOLDER, str(Path.home())
        chosen = self._shown.create_file_dialog(kind, directory=home)
        return str(chosen[0]) if chosen else None


def register(app: Flask, window: Window) -> None:
    """Make `window` the one that `app` is shown in."""
    app.extensions[_KEY] = window


def in_window() -> bool:
    """Whether the page at hand is shown in the window."""
    return _window() is not None


@blueprint.get("/window")
def enter() -> Response:
    """The window's first page: the key becomes a cookie."""
    window: Window | None = current_app.extensions.get(_KEY)
    if window is None or not secrets.compare_digest(_given(request.args.get("key")), window.key):
        abort(404)
    answer = redirect(url_for("pages.home"))
    answer.set_cookie(_COOKIE, window.key, httponly=True, samesite="Strict")
    return answer


@blueprint.post("/window/folder")
def folder() -> dict[str, str | None]:
    """Ask for a folder with the system's dialog, and wait for the answer."""
    window = _window()
    if window is None:
        abort(404)
    return {"folder": window.choose_folder()}


def _window() -> Window | None:
    window: Window | None = current_app.extensions.get(_KEY)
    if window and secrets.compare_digest(_given(request.cookies.get(_COOKIE)), window.key):
        return window
    return None


def _given(key: str | None) -> str:
    """What was given as a key, as text that can be compared."""
    return key if key and key.isascii() else ""


def _pywebview() -> ModuleType:
    try:
        import webview
    except ImportError:
        raise SettingsError(
            "--window needs an extra: .venv/bin/python -m pip install -r requirements-window.txt"
        ) from None
    found: ModuleType = webview
    return found
