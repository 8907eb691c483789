"""The window's routes: only the window can have a dialog shown. No window opens here."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from app import EXIT_UNUSABLE, create_app
from library.settings import Settings
from tests.program import ROOT
from tests.web_fixtures import opened
from web import site
from web.server import Server
from web.window import Window, register

BUTTON = '{% from "folder_button.html" import folder_button with context %}{{ folder_button("f") }}'


class WindowWithoutScreen(Window):
    """A window of which nobody sees anything, and in which one folder is always chosen."""

    def __init__(self, folder: str | None) -> None:
        self.key = "the key"
        self._folder = folder

    def choose_folder(self) -> str | None:
        return self._folder


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    with opened(settings) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def button(client: FlaskClient) -> str:
    with client.application.test_request_context(headers=cookies(client)):
        return render_template_string(BUTTON).strip()


def cookies(client: FlaskClient) -> dict[str, str]:
    cookie = client.get_cookie("window")
    return {"Cookie": f"window={cookie.value}"} if cookie else {}


@pytest.mark.parametrize("folder", ["/home/me/photos", None])
def test_the_window_gets_the_folder(app: Flask, client: FlaskClient, folder: str | None) -> None:
    register(app, WindowWithoutScreen(folder))
    answer = client.get("/window?key=the key")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert client.post("/window/folder").json == {"folder": folder}
    assert 'data-folder-for="f"' in button(client)


@pytest.mark.parametrize("key", ["", "another key", "ключ"])
def test_a_browser_beside_the_window_gets_nothing(
    app: Flask, client: FlaskClient, key: str
) -> None:
    register(app, WindowWithoutScreen("/home/me/photos"))
    assert client.get("/window", query_string={"key": key}).status_code == 404
    client.set_cookie("window", key)
    assert client.post("/window/folder").status_code == 404
    assert button(client) == ""


def test_without_a_window_there_is_no_dialog(client: FlaskClient) -> None:
    assert client.get("/window?key=").status_code == 404
    assert client.post("/window/folder").status_code == 404
    assert button(client) == ""


@pytest.mark.skipif(find_spec("webview") is not None, reason="a window would open")
def test_the_extra_is_named_where_it_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "app.py", "--window", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_UNUSABLE
    assert "requirements-window.txt" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_site_is_served_beside_a_window_and_ends_with_it(settings: Settings) -> None:
    app = create_app(settings)
    server = Server(app, "127.0.0.1", 0)
    with server.beside(), urllib.request.urlopen(f"{server.address}/api/v1/status") as answer:
        assert answer.status == 200
    site.of(app).close()
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{server.address}/api/v1/status", timeout=5)
