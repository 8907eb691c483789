"""The password: who has not entered it sees nothing, whatever is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from library.errors import SettingsError
from library.settings import load_settings
from tests.web_fixtures import Library, opened
from web import access

TOKEN = "correct horse"


@pytest.fixture(scope="module")
def locked(shared_library: Library) -> Iterator[Flask]:
    with opened(replace(shared_library.settings, auth_token=TOKEN)) as app:
        yield app


@pytest.fixture(autouse=True)
def nobody_has_guessed() -> None:
    access._guessers.clear()


def enter(client: FlaskClient, password: str, to: str = "/") -> int:
    return client.post("/enter", data={"password": password, "to": to}).status_code


def test_every_address_asks_for_the_password(locked: Flask) -> None:
    client = locked.test_client()
    urls = ["/", "/search?q=dog", "/random", "/no/such/page"]
    urls += [rule.rule for rule in locked.url_map.iter_rules() if "<" not in rule.rule]
    urls += ["/pictures/1", "/pictures/1/thumb", "/pictures/1/file", "/folders/1"]
    for url in urls:
        path = url.partition("?")[0]
        if path == "/enter":
            continue
        for ask in (client.get, client.post):
            answer = ask(url)
            if path.startswith("/api/"):
                assert answer.status_code == 401, url
            else:
                assert answer.location.startswith("/enter"), url
            assert b"beagle" not in answer.data


def test_a_strange_host_is_told_nothing_of_the_library(locked: Flask) -> None:
    answer = locked.test_client().get("/", headers={"Host": "evil.example"})
    assert answer.location.startswith("/enter")


def test_style_sheet_and_password_page_are_open(locked: Flask) -> None:
    client = locked.test_client()
    with client.get("/static/app.css") as style:
        assert style.status_code == 200
    page = client.get("/enter?to=/search%3Fq%3Ddog")
    assert page.status_code == 200
    assert b'value="/search?q=dog"' in page.data


def test_with_the_password_one_is_in_and_stays_in(locked: Flask) -> None:
    client = locked.test_client()
    answer = client.post("/enter", data={"password": TOKEN, "to": "/search?q=dog"})
    assert (answer.status_code, answer.location) == (302, "/search?q=dog")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert client.get("/search?q=dog").status_code == 200
    with client.get("/pictures/1/thumb") as thumb:
        assert thumb.status_code == 200


@pytest.mark.parametrize("password", ["", "correct horsf", "correct hors", "correct horse ", "ü"])
def test_nothing_else_lets_in(locked: Flask, password: str) -> None:
    client = locked.test_client()
    assert enter(client, password) == 401
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        ("Bearer wrong horse", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer", 401),
        ("", 401),
    ],
)
def test_programs_send_it_with_each_request(locked: Flask, header: str, status: int) -> None:
    client = locked.test_client()
    answer = client.get("/api/v1/status", headers={"Authorization": header})
    assert answer.status_code == status


@pytest.mark.parametrize("cookie", ["", "0" * 64, TOKEN, "é"])
def test_a_made_up_cookie_lets_nobody_in(locked: Flask, cookie: str) -> None:
    client = locked.test_client()
    client.set_cookie("kindred", cookie)
    assert client.get("/").status_code == 302


def test_a_changed_password_shuts_out_who_had_entered(shared_library: Library) -> None:
    with opened(replace(shared_library.settings, auth_token=TOKEN)) as app:
        client = app.test_client()
        enter(client, TOKEN)
        cookie = client.get_cookie("kindred")
    assert cookie is not None
    with opened(replace(shared_library.settings, auth_token="another horse")) as app:
        client = app.test_client()
        client.set_cookie("kindred", cookie.value)
        assert client.get("/").status_code == 302


def test_nobody_guesses_faster_than_a_person(locked: Flask) -> None:
    client = locked.test_client()
    assert enter(client, "first guess") == 401
    assert enter(client, TOKEN) == 429
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "evil.example", "", "\t//evil"],
)
def test_the_way_on_leads_nowhere_else(locked: Flask, to: str) -> None:
    answer = locked.test_client().post("/enter", data={"password": TOKEN, "to": to})
    assert answer.location == "/"


def test_another_site_cannot_enter_for_somebody(locked: Flask) -> None:
    answer = locked.test_client().post(
        "/enter", data={"password": TOKEN}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "nas.local"])
def test_without_a_password_only_this_machine_is_served(tmp_path: Path, host: str) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path), "HOST": host, "CLIP_MODEL": "starter"})
    with pytest.raises(SettingsError, match="AUTH_TOKEN"):
        create_app(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_this_machines_own_addresses_need_none(host: str) -> None:
    assert access.is_own_address(host)


def test_a_short_password_is_none() -> None:
    with pytest.raises(SettingsError, match="8 characters"):
        load_settings({"AUTH_TOKEN": "1234567"})
