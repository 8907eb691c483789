"""Foreground: a crawl in the site's process waits while somebody waits for an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from crawler import foreground
from crawler.foreground import Foreground
from tests.web_fixtures import Library, opened
from web import site


@pytest.fixture
def app(shared_library: Library) -> Iterator[Flask]:
    with opened(shared_library.settings) as app:
        yield app


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crawl waits as long as it has to."""
    monkeypatch.setattr(foreground, "_LONGEST_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_it_waits_for_the_last_answer() -> None:
    requests, went_on = Foreground(), threading.Event()
    requests.begin()
    requests.begin()

    def crawl() -> None:
        requests.give_way()
        went_on.set()

    thread = threading.Thread(target=crawl)
    thread.start()
    requests.end()
    assert not went_on.wait(0.2)
    requests.end()
    assert went_on.wait(20)
    thread.join()


def test_nobody_holds_it_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "_LONGEST_SECONDS", 0.01)
    requests = Foreground()
    requests.begin()
    requests.give_way()


def held_up(app: Flask) -> bool:
    """Whether a crawl would wait right now."""
    started = time.monotonic()
    site.of(app).crawls.foreground.give_way()
    return time.monotonic() - started > foreground._LONGEST_SECONDS / 2


@pytest.mark.parametrize("url", ["/", "/nowhere", "/api/v1/status", "/fails", "/breaks"])
def test_each_request_counts_while_it_is_answered(
    app: Flask, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(foreground, "_LONGEST_SECONDS", 0.2)
    seen: list[bool] = []
    app.before_request(lambda: seen.append(held_up(app)))
    app.add_url_rule("/fails", "fails", view_func=lambda: abort(400))
    app.add_url_rule("/breaks", "breaks", view_func=lambda: str(1 / 0))
    client: FlaskClient = app.test_client()
    client.get(url)
    assert seen == [True]
    assert not held_up(app)


def test_who_is_turned_away_is_not_counted(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert not held_up(app)
