"""Light, dark, or as the system: a cookie that the server renders every page by."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web_fixtures import Library, opened

PAPER = {"light": "#faf8f5", "dark": "#141210"}


@pytest.fixture(scope="module")
def app(shared_library: Library) -> Iterator[Flask]:
    with opened(shared_library.settings) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def look(page: str) -> dict[str, object]:
    """What the head of a page says of its colours."""
    metas = re.findall(r'<meta name="theme-color" content="([^"]*)" media="[^"]*(light|dark)', page)
    schemes = re.search(r'name="color-scheme" content="([^"]*)"', page)
    theme = re.search(r'<html lang="en" data-theme="([^"]*)"', page)
    pressed = re.findall(r'value="(\w+)"[^>]*aria-pressed="true"', page)
    assert schemes and theme
    return {
        "theme": theme[1],
        "schemes": schemes[1],
        "bars": {scheme: colour for colour, scheme in metas},
        "pressed": pressed,
    }


@pytest.mark.parametrize(
    ("theme", "schemes", "bars"),
    [
        ("system", "light dark", PAPER),
        ("light", "light", dict.fromkeys(PAPER, PAPER["light"])),
        ("dark", "dark", dict.fromkeys(PAPER, PAPER["dark"])),
    ],
)
@pytest.mark.parametrize("url", ["/", "/search?q=dog", "/nowhere"])
def test_a_theme_that_was_chosen_is_in_the_page(
    client: FlaskClient, theme: str, schemes: str, bars: dict[str, str], url: str
) -> None:
    client.post("/theme", data={"theme": theme})
    said = look(client.get(url).get_data(as_text=True))
    assert said == {"theme": theme, "schemes": schemes, "bars": bars, "pressed": [theme]}


def test_whatever_else_a_cookie_says_is_as_the_system(client: FlaskClient) -> None:
    client.set_cookie("theme", '"><b>')
    assert look(client.get("/").get_data(as_text=True))["theme"] == "system"


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://localhost/search?q=dog+-snow", "/search?q=dog+-snow"),
        ("http://localhost/pictures/3", "/pictures/3"),
        ("http://localhost//evil.example/", "/"),
        ("http://evil.example/pictures/3", "/"),
        ("", "/"),
    ],
)
def test_choosing_leads_back_to_the_page(client: FlaskClient, page: str, back: str) -> None:
    answer = client.post("/theme", data={"theme": "dark"}, headers={"Referer": page})
    assert (answer.status_code, answer.headers["Location"]) == (303, back)


def test_there_are_three_themes(client: FlaskClient) -> None:
    answer = client.post("/theme", data={"theme": "pink"})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
