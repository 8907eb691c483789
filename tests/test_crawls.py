"""Crawls that are begun, followed, stopped and gone on with from the site."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crawler.background import Background
from library import runs
from library.crawl_lock import CrawlLock, crawl_at_work
from library.index_files import IndexFiles
from library.models import Progress
from library.settings import Settings
from mlx_clip import Encoder
from tests.pictures import fill
from tests.program import program
from tests.web_fixtures import Library, opened, own_library, wait_until
from web import site

__all__ = ["own_library"]

MANY = 100


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    with opened(settings) as app:
        yield app


def begin(client: FlaskClient, folder: Path) -> str:
    """Start a crawl in the API; gives its address there."""
    answer = client.post("/api/v1/crawls", json={"folder": str(folder)})
    assert answer.status_code == 202
    return answer.headers["Location"]


def ended(client: FlaskClient, url: str) -> dict[str, Any]:
    """What a crawl came to, once it is no longer at work."""
    wait_until(lambda: client.get(url).get_json()["state"] != "running")
    found: dict[str, Any] = client.get(url).get_json()
    return found


def test_a_crawl_from_the_page_fills_the_library(app: Flask, photos_dir: Path) -> None:
    fill(photos_dir / "below", 12)
    (photos_dir / "broken <b>.jpg").write_bytes(b"x")
    (photos_dir / "below" / "0000.CR2").touch()
    client = app.test_client()
    site.of(app).keeper.start()  # which owns the index: the crawl leaves it alone
    started = client.post("/crawls", data={"folder": f" {photos_dir}/ "})
    assert started.status_code == 303
    place = started.headers["Location"]
    crawl = ended(client, f"/api/v1{place}")
    assert crawl["state"] == "finished"
    assert crawl["folders"] == [str(photos_dir)]
    assert (crawl["summary"]["encoded"], crawl["summary"]["failed"]) == (12, 1)
    assert (crawl["progress"], crawl["process"], crawl["left"]) == (None, None, 0)
    page = client.get(place).text
    assert "Look at the pictures" in page
    assert page.count('class="frame" href="/pictures/') == 12
    assert f"{photos_dir}/broken &lt;b&gt;.jpg" in page
    assert "hx-get" not in page
    assert re.search("1 RAW photos[a-zA-Z ]* passed over", page)
    assert "broken &lt;b&gt;.jpg" in client.get("/library/failures").text
    wait_until(lambda: client.get("/api/v1/status").get_json()["index"]["agrees"])
    assert site.of(app).keeper.count() == 12
    assert client.get("/api/v1/search?q=dog").get_json()["total"] == 12


def test_a_crawl_leaves_the_index_to_the_site_that_has_not_opened_it_yet(
    app: Flask, photos_dir: Path, settings: Settings
) -> None:
    fill(photos_dir, 3)
    client = app.test_client()
    ended(client, begin(client, photos_dir))
    assert not IndexFiles(settings.data_dir).is_there()


def test_a_crawl_is_stopped_and_goes_on(app: Flask, photos_dir: Path) -> None:
    fill(photos_dir, MANY)
    client = app.test_client()
    url = begin(client, photos_dir)
    assert client.get(url).get_json()["state"] == "running"
    page = url.removeprefix("/api/v1")
    running = client.get(page).text
    assert "Stop</button>" in running
    assert '<noscript><meta http-equiv="refresh"' in running
    assert page in client.get("/library").text.split("<footer")[1]
    busy = client.post("/crawls", data={"folder": str(photos_dir)})
    assert busy.status_code == 409
    assert "A crawl is at work already" in busy.text
    again = client.post("/api/v1/crawls", json={"folder": str(photos_dir)})
    assert again.status_code == 409
    assert again.get_json()["error"]["code"] == "conflict"

    assert client.delete(url).status_code == 202
    assert re.search("Stopping, once|Stopped before", client.get(page).text)
    stopped = ended(client, url)
    assert stopped["state"] == "stopped"
    assert client.delete(url).status_code == 409
    assert "Go on</button>" in client.get(page).text
    library = client.get("/library").text
    assert f'href="{page}">A crawl was cut off' in library
    assert f"{stopped['left']} files still to be read" in library
    assert client.post(f"{page}/go-on").headers["Location"] == page  # it is the same crawl
    whole = ended(client, url)
    assert whole["state"] == "finished"
    assert whole["summary"]["pictures"] == MANY
    for late in ("go-on", "stop"):  # which harms nothing
        assert client.post(f"{page}/{late}").status_code == 303
    assert client.get(url).get_json()["state"] == "finished"


def test_leaving_the_site_stops_a_crawl_in_good_order(settings: Settings, photos_dir: Path) -> None:
    fill(photos_dir, MANY)
    with opened(settings) as app:
        url = begin(app.test_client(), photos_dir)
    assert crawl_at_work(settings.data_dir) is None
    with opened(settings) as app:
        assert app.test_client().get(url).get_json()["state"] == "stopped"


def test_a_crawl_that_was_cut_off_in_its_walk_goes_on_too(app: Flask, photos_dir: Path) -> None:
    fill(photos_dir, 2)
    connection = site.of(app).database.connection
    run = runs.start(connection, 1_700_000_000.0, [os.fsencode(photos_dir)])
    client = app.test_client()
    assert f"/crawls/{run.id}" in client.get("/").text
    assert client.get(f"/api/v1/crawls/{run.id}").get_json()["state"] == "stopped"
    place = client.post(f"/crawls/{run.id}/go-on").headers["Location"]
    assert ended(client, f"/api/v1{place}")["summary"]["pictures"] == 2
    assert client.get(f"/api/v1/crawls/{run.id}").get_json()["state"] == "superseded"
    assert "A later crawl has begun since" in client.get(f"/crawls/{run.id}").text


def test_a_crawl_of_another_program_is_shown_and_not_stopped(
    app: Flask, settings: Settings, photos_dir: Path
) -> None:
    run = runs.start(site.of(app).database.connection, 1_700_000_000.0, [b"/a", b"/b\xff"])
    client = app.test_client()
    with CrawlLock(settings.data_dir) as lock:
        lock.begin(run.id)
        lock.show(Progress("read", 1_200, 12_000, 3, 5_400_000_000, 45.0, 240.0))
        page = client.get(f"/crawls/{run.id}").text
        refused = client.delete(f"/api/v1/crawls/{run.id}")
        second = client.post("/crawls", data={"folder": str(settings.data_dir.parent)})
    for said in ("1,200 of 12,000", "45 a second", "4 min 0 s left", "3 could not be read"):
        assert said in page
    assert f"Begun by another program, process {os.getpid()}" in page
    assert "/a, /b\ufffd" in page
    assert 'class="button' not in main_of(page)
    assert refused.status_code == second.status_code == 409
    assert f"process {os.getpid()}" in refused.get_json()["error"]["message"]
    assert f"process {os.getpid()}" in second.text


def test_what_a_killed_program_of_the_same_number_left_is_no_crawl(
    settings: Settings, encoder: Encoder
) -> None:
    lock = CrawlLock(settings.data_dir)
    settings.data_dir.mkdir()
    lock.begin(7)
    assert crawl_at_work(settings.data_dir)
    Background(settings, encoder)
    assert crawl_at_work(settings.data_dir) is None


def test_a_folder_without_pictures_is_said_to_have_none(app: Flask, photos_dir: Path) -> None:
    client = app.test_client()
    url = begin(client, photos_dir)
    ended(client, url)
    assert "No pictures were found" in client.get(url.removeprefix("/api/v1")).text


def test_a_crawl_that_fails_says_why_and_can_go_on(
    app: Flask, settings: Settings, photos_dir: Path
) -> None:
    fill(photos_dir, 3)
    settings.thumbnail_dir.write_text("in the way")
    client = app.test_client()
    crawl = ended(client, begin(client, photos_dir))
    assert crawl["state"] == "stopped"
    assert str(settings.thumbnail_dir) in crawl["failure"]
    page = f"/crawls/{crawl['id']}"
    assert "It could not go on" in client.get(page).text
    settings.thumbnail_dir.unlink()
    client.post(f"{page}/go-on")
    assert ended(client, f"/api/v1{page}")["state"] == "finished"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {}}, 400),
        ({"json": {"folder": 3}}, 400),
        ({"json": ["/"]}, 400),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": {"folder": "/"}}, 415),
        ({"json": {"folder": "\ud800"}}, 400),
        ({"json": {"folder": "/\udcff"}}, 403),
    ],
    ids=repr,
)
def test_the_api_refuses_what_is_no_folder(app: Flask, sent: dict[str, Any], status: int) -> None:
    answer = app.test_client().post("/api/v1/crawls", **sent)
    assert answer.status_code == status
    assert answer.get_json()["error"]["message"]


def test_unknown_crawls_and_other_sites_are_refused(app: Flask) -> None:
    client = app.test_client()
    for url in ("/crawls/1", "/api/v1/crawls/1", "/crawls/9223372036854775807"):
        assert client.get(url).status_code == 404
    assert client.post("/crawls/1/stop").status_code == 404
    assert client.delete("/api/v1/crawls/1").status_code == 404
    assert client.post("/crawls/again").status_code == 400
    foreign = {"Origin": "http://evil.example"}
    assert client.post("/crawls", data={"folder": "/"}, headers=foreign).status_code == 403
    assert client.delete("/api/v1/crawls/1", headers=foreign).status_code == 403


def test_the_library_page_tells_all_and_looks_again(own_library: Library) -> None:
    gone, *_ = sorted(own_library.photos.iterdir())
    gone.unlink()
    fill(own_library.photos / "new", 2, first_seed=100)
    with opened(own_library.settings) as app:
        client = app.test_client()
        site.of(app).keeper.start()
        place = client.post("/crawls/again").headers["Location"]
        assert ended(client, f"/api/v1{place}")["summary"]["encoded"] == 2
        wait_until(lambda: "It is complete: 10 pictures" in client.get("/library").text)
        page = client.get("/library").text
        assert str(own_library.photos) in page
        assert "9 files, 1 gone" in page
        assert "9 pictures in 9 files" in page
        assert "weak at people" in page
        for what in ("Database", "Thumbnails", "Index", "Exact search"):
            assert f"<dt>{what}</dt>" in page

        before = set(site.of(app).database.connection.execute("SELECT * FROM indexed_vectors"))
        assert client.post("/library/index").status_code == 303
        wait_until(lambda: index_of(app) not in (set(), before) and len(index_of(app)) == 10)
        assert client.get("/api/v1/search?q=dog").get_json()["total"] == 9

        own_library.photos.rename(own_library.photos.with_name("unplugged"))
        assert "Not there now" in client.get("/library").text


def index_of(app: Flask) -> set[tuple[object, ...]]:
    return set(site.of(app).database.connection.execute("SELECT * FROM indexed_vectors"))


def main_of(page: str) -> str:
    """A page without what stands on every one."""
    return page.partition("<main")[2].partition("</main>")[0]


def test_failures_are_paged(app: Flask) -> None:
    connection = site.of(app).database.connection
    connection.execute("INSERT INTO folders (id, path) VALUES (1, x'2f')")
    connection.executemany(
        """INSERT INTO files (path, folder_id, size, mtime_ns, failure, failure_kind)
        VALUES (?, 1, 1, 1, 'damaged', 'undecodable')""",
        [(b"/%03d.jpg" % number,) for number in range(130)],
    )
    client = app.test_client()
    first, second = client.get("/library/failures").text, client.get("/library/failures?page=2")
    assert [main_of(page).count("<dt") for page in (first, second.text)] == [100, 30]
    assert "/100.jpg" not in first
    assert "/100.jpg" in second.text
    assert "That was all of them" in client.get("/library/failures?page=3").text


def test_a_server_that_is_killed_in_mid_crawl_goes_on_after_its_restart(
    tmp_path: Path, photos_dir: Path
) -> None:
    fill(photos_dir, MANY)
    data = tmp_path / "data"
    with program("--data", str(data)) as (process, address):
        crawl = ask(address, "/api/v1/crawls", json.dumps({"folder": str(photos_dir)}))
        url = f"/api/v1/crawls/{crawl['id']}"
        wait_until(lambda: (ask(address, url)["progress"] or {}).get("stage") == "read")
        wait_until(lambda: vectors_in(data) > 0)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    done = vectors_in(data)
    assert 0 < done < MANY
    with program("--data", str(data)) as (_, address):
        found = ask(address, url)
        assert (found["state"], found["left"]) == ("stopped", MANY - done)
        ask(address, f"/crawls/{crawl['id']}/go-on", "")
        wait_until(lambda: ask(address, url)["state"] == "finished")
        assert ask(address, url)["summary"]["encoded"] == MANY - done
        assert ask(address, url)["summary"]["pictures"] == vectors_in(data) == MANY


def ask(address: str, url: str, sent: str | None = None) -> dict[str, Any]:
    """GET, or POST of JSON; gives the answer's JSON, or nothing for a page."""
    request = urllib.request.Request(
        address + url,
        None if sent is None else sent.encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.headers.get_content_type() != "application/json":
            return {}
        found: dict[str, Any] = json.load(answer)
        return found


def vectors_in(data: Path) -> int:
    connection = sqlite3.connect(data / "library.sqlite")
    try:
        return int(connection.execute("SELECT count(*) FROM vectors").fetchone()[0])
    finally:
        connection.close()
