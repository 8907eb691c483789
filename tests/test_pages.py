"""The pages, as their HTML."""

from __future__ import annotations

import html
import io
import os
import re
from dataclasses import asdict
from html import unescape

import pytest
from flask.testing import FlaskClient

from library.crawl_lock import CrawlLock
from library.models import Progress
from mlx_clip import DEFAULT, Encoder
from tests.web_fixtures import (
    SAMPLES,
    Library,
    client,
    crawl_folder,
    empty_client,
    opened,
    own_library,
    served,
)

__all__ = ["client", "empty_client", "own_library"]


def get(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    return unescape(answer.get_data(as_text=True))


def shown(page: str) -> list[int]:
    """The numbers of the pictures in a page's grids, in order."""
    return [int(number) for number in re.findall(r'data-picture="(\d+)"', page)]


def said(page: str) -> str:
    """A page's text."""
    return re.sub(r"<[^>]+>", "", page)


def test_home_shows_recent_and_random_pictures(client: FlaskClient) -> None:
    page = get(client, "/")
    recent, drawn = page.split('id="random"')
    assert len(shown(recent)) == 24
    assert len(shown(drawn)) == 48
    assert len(set(shown(page))) == 24 + 48
    assert shown(get(client, "/").split('id="random"')[1]) != shown(drawn)


def test_the_newest_picture_comes_first(own_library: Library) -> None:
    with opened(own_library.settings) as app:
        first = shown(get(app.test_client(), "/"))[0]
    newest = max(own_library.photos.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert first == own_library.ids()[newest.name]


def test_an_empty_library_says_how_to_fill_it(empty_client: FlaskClient) -> None:
    page = get(empty_client, "/")
    assert "Choose a folder of pictures" in page
    assert "Sample pictures" in page
    assert "Nothing to find yet" in get(empty_client, "/search?q=dog")


def test_results(client: FlaskClient, shared_library: Library) -> None:
    page = get(client, "/search?q=penguin")
    names = {image_id: name for name, image_id in shared_library.ids().items()}
    assert "penguin" in names[shown(page)[0]]
    total = len(set(shared_library.ids().values()))
    assert f"1–24 of {total}, closest first" in said(page)
    assert "<title>penguin – Kindred</title>" in page
    assert "starter model" in page
    assert 'value="penguin"' in page


def test_more_goes_on_where_the_page_ended(client: FlaskClient) -> None:
    first = get(client, "/search?q=red+car")
    more = re.search(r'href="([^"]+)" rel="next"', first)
    assert more
    second = get(client, more[1])
    assert "25–48 of" in said(second)
    assert not set(shown(first)) & set(shown(second))


def test_the_last_page_leads_nowhere_further(client: FlaskClient) -> None:
    page, pages = get(client, "/search?q=dog"), 1
    while more := re.search(r'href="([^"]+)" rel="next"', page):
        page, pages = get(client, html.unescape(more[1])), pages + 1
    assert pages == 10
    assert "That was all of them" in page
    assert "That was all of them" in get(client, "/search?q=dog&from=-1.000000_1_232")


def test_an_address_may_ask_for_several_pages_at_once(client: FlaskClient) -> None:
    first = get(client, "/search?q=dog")
    second = get(client, link_onward(first))
    both = get(client, "/search?q=dog&show=48")
    assert shown(both) == shown(first) + shown(second)
    assert link_onward(both) == link_onward(second)
    assert "That was all of them" in get(client, "/search?q=dog&show=2000")


def test_a_folder_may_be_asked_for_several_pages_at_once(
    client: FlaskClient, shared_library: Library
) -> None:
    beagle = get(client, f"/pictures/{shared_library.ids()['beagle.png']}")
    folder = re.search(r'href="(/folders/\d+)"', beagle)
    assert folder
    first = get(client, folder[1])
    second = get(client, link_onward(first))
    both = get(client, f"{folder[1]}?show=40")
    assert shown(both) == shown(first) + shown(second)
    assert link_onward(both) == link_onward(second)


@pytest.mark.parametrize("show", ["", "0", "-5", "x", "9" * 5000, "٣", "12"])
def test_a_page_holds_no_less_than_one_and_no_more_than_there_is(
    client: FlaskClient, show: str
) -> None:
    assert len(shown(get(client, f"/search?q=dog&show={show}"))) == 24


def link_onward(page: str) -> str:
    found = re.search(r'href="([^"]+)" rel="next">More', page)
    assert found
    return found[1]


@pytest.mark.parametrize("place", ["0", "-1", "x", "9" * 5000, "٣", "nan_1_1", "0.5_9", "7.1_1_1"])
def test_places_that_make_no_sense_are_the_beginning(client: FlaskClient, place: str) -> None:
    assert "1–24 of" in said(get(client, f"/search?q=dog&from={place}"))


@pytest.mark.parametrize("query", ["", "?q=", "?q=+%09"])
def test_blank_words_lead_home(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/search{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_words_are_text_in_the_page(client: FlaskClient) -> None:
    raw = client.get('/search?q="><script>alert(1)</script>').get_data(as_text=True)
    assert "<script>alert" not in raw


def test_search_for_more_than_anybody_types(client: FlaskClient) -> None:
    answer = client.get("/search", query_string={"q": "a" * 10_000})
    assert answer.status_code == 400
    assert "10,000" in answer.get_data(as_text=True)


def test_search_by_a_picture(client: FlaskClient, shared_library: Library) -> None:
    content = (SAMPLES / "animals" / "beagle.png").read_bytes()
    answer = client.post("/search", data={"image": (io.BytesIO(content), "b.png")})
    page = answer.get_data(as_text=True)
    assert "Pictures like yours" in page
    assert shown(page)[0] == shared_library.ids()["beagle.png"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "Choose one"), (b"GIF89a, or so it says", "cannot be used as a picture")],
)
def test_uploads_that_are_no_pictures(client: FlaskClient, content: bytes, sentence: str) -> None:
    answer = client.post("/search", data={"image": (io.BytesIO(content), "a.gif")})
    assert answer.status_code == 400
    assert sentence in answer.get_data(as_text=True)


def test_uploads_are_limited(client: FlaskClient) -> None:
    answer = client.post(
        "/search",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": "64000001"},
    )
    assert answer.status_code == 413
    assert "up to 64 MB" in answer.get_data(as_text=True)


def test_a_picture_with_what_is_known_of_it(client: FlaskClient, shared_library: Library) -> None:
    image_id = shared_library.ids()["german-shepherd.jpg"]
    page = get(client, f"/pictures/{image_id}")
    assert "<title>german-shepherd.jpg – Kindred</title>" in page
    assert f'src="/pictures/{image_id}/file"' in page
    assert "pixels" in page
    assert str(shared_library.photos / "animals") in page
    assert len(shown(page)) == 40
    assert image_id not in shown(page)


def test_the_trail_grows_with_each_step(client: FlaskClient) -> None:
    links = re.findall(r'href="(/pictures/\d+\?trail=[\d,]+)" data-', get(client, "/pictures/3"))
    assert links
    assert all(link.endswith("?trail=3") for link in links)
    page = client.get(links[0]).get_data(as_text=True)
    trail = page.split('aria-label="Trail"')[1].split("</nav>")[0]
    assert 'href="/pictures/3"' in trail
    second = links[0].split("/")[2].split("?")[0]
    assert f'trail=3,{second}" data-' in page.replace("%2C", ",")


def test_the_walk_keeps_the_search_it_began_with(client: FlaskClient) -> None:
    hit = next(i for i in shown(get(client, "/search?q=dog&more=3")) if i != 3)
    page = get(client, f"/pictures/{hit}?q=dog&more=3")
    assert 'value="dog"' in page
    assert re.search(r'class="tile [^>]+href="/pictures/\d+\?trail=\d+&q=dog&more=3"', page)
    assert f'href="/search?q=dog+%2B+%23{hit}&more=3"' in page
    assert f'href="/search?q=dog&more=3,{hit}"' in page.replace("%2C", ",")
    assert f'href="/search?q=dog&more=3&less={hit}"' in page
    assert f'href="/search?q=%23{hit}"' in page


@pytest.mark.parametrize("query", ["2:", "-", "after:never"])
def test_a_walk_from_no_search_at_all_is_a_walk(client: FlaskClient, query: str) -> None:
    page = get(client, f"/pictures/3?q={query}")
    assert len(shown(page)) == 40
    assert "Less like this" not in page


def test_a_long_search_is_not_in_the_address_of_every_picture(client: FlaskClient) -> None:
    page = get(client, "/search?q=" + "dog+" * 60)
    assert not re.search(r'href="/pictures/\d+\?', page)


def test_a_trail_of_nonsense_is_no_trail(client: FlaskClient) -> None:
    assert 'aria-label="Trail"' not in get(client, "/pictures/3?trail=x,999999,-1,3")


def test_the_folder_of_a_picture(client: FlaskClient, shared_library: Library) -> None:
    image_id = shared_library.ids()["beagle.png"]
    link = re.search(r'href="(/folders/\d+)"', get(client, f"/pictures/{image_id}"))
    assert link
    seen: list[int] = []
    url: str | None = link[1]
    while url:
        page = get(client, url)
        assert str(shared_library.photos) in page
        seen += shown(page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        url = more[1] if more else None
    names = {path.name for path in (shared_library.photos / "animals").iterdir()}
    expected = {i for name, i in shared_library.ids().items() if name in names}
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_a_picture_whose_file_is_missing(own_library: Library, encoder: Encoder) -> None:
    gone = own_library.ids()["0000.jpg"]
    (own_library.photos / "0000.jpg").unlink()
    crawl_folder(own_library.settings, encoder, own_library.photos)
    with opened(own_library.settings) as app:
        client = app.test_client()
        page = get(client, f"/pictures/{gone}")
        assert "The original is missing since" in page
        assert f"python -m crawler {own_library.photos}" in page
        assert f'href="/pictures/{gone}/file"' not in page
        assert gone not in shown(get(client, "/"))
        assert "Back to the pictures" in get(client, f"/pictures/{gone}/file", 404)
        assert "7 pictures" in get(client, "/")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("/nothing", "no page at this address"),
        ("/pictures/99999", "no picture with this number"),
        ("/folders/99999", "no folder with this number"),
    ],
)
def test_what_is_not_there_has_a_page(client: FlaskClient, url: str, sentence: str) -> None:
    page = get(client, url, 404)
    assert sentence in page
    assert 'href="/"' in page


def test_what_breaks_is_said_without_a_traceback(
    own_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(own_library.settings) as app:

        @app.get("/break")
        def broken() -> str:
            raise RuntimeError("secret")

        answer = app.test_client().get("/break")
    assert answer.status_code == 500
    assert b"Something broke" in answer.data
    assert b"secret" not in answer.data
    assert "secret" in caplog.text


@pytest.mark.parametrize("url", ["/", "/search?q=dog", "/pictures/1", "/folders/2"])
def test_every_page_calls_the_starter_model_what_it_is(client: FlaskClient, url: str) -> None:
    foot = get(client, url).split("<footer")[1]
    assert "starter model" in foot
    assert "weak at people" in foot
    assert f"make run CLIP_MODEL={DEFAULT}" in foot
    assert "It runs on ONNX Runtime on the CPU: the starter model is made for it." in foot
    assert "The index is closed" in foot


def test_pages_and_api_say_how_far_a_crawl_is(own_library: Library) -> None:
    with opened(own_library.settings) as app, CrawlLock(own_library.settings.data_dir) as lock:
        client = app.test_client()
        assert "A crawl has begun" in get(client, "/").split("<footer")[1]
        progress = Progress("read", 1_200, 12_000, 3, 5_400_000_000, 45.0, 240.0)
        lock.show(progress)
        foot = get(client, "/").split("<footer")[1]
        crawl = client.get("/api/v1/status").get_json()["crawl"]
    assert "Reading: 1,200 of 12,000, 45.0/s, 5.4 GB, 4 min 0 s left, 3 could not be read" in foot
    assert crawl == {"process": os.getpid(), "run": None, "progress": asdict(progress)}


@pytest.mark.parametrize("url", ["/", "/search?q=dog", "/pictures/1", "/folders/2", "/nothing"])
def test_pages_keep_to_the_content_security_policy(client: FlaskClient, url: str) -> None:
    page = client.get(url).get_data(as_text=True)
    assert not re.search(r'\sstyle="|<style|\son[a-z]+="|javascript:', page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)
    assert '<html lang="en"' in page


def test_a_real_server_serves_it(shared_library: Library) -> None:
    from urllib.request import urlopen

    with (
        opened(shared_library.settings) as app,
        served(app) as address,
        urlopen(f"{address}/search?q=dog") as answer,
    ):
        assert answer.status == 200
        assert "dog – Kindred" in answer.read().decode()
