"""More and less like a hit, weaker matches, near duplicates behind one hit, a random picture."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mlx_clip import Encoder
from tests.pictures import drawing
from tests.test_pages import get, shown
from tests.web_fixtures import (
    Library,
    client,
    crawl_folder,
    empty_client,
    opened,
    own_library,
)
from web import site

__all__ = ["client", "empty_client", "own_library"]


def link(page: str, words: str) -> str:
    """The address of the first link that is labelled so."""
    label = rf'(?:aria-label="|>(?:(?!</a>).)*){re.escape(words)}'
    found = re.search(rf'href="([^"]+)"[^>]*{label}', page, re.DOTALL)
    assert found, words
    return unescape(found[1])


def test_more_like_a_hit_draws_the_list_towards_it(
    client: FlaskClient, shared_library: Library
) -> None:
    first = get(client, "/search?q=dog")
    wanted = shared_library.ids()["bear.png"]
    refined = get(client, f"/search?q=dog&more={wanted}")
    assert wanted in shown(refined)
    assert shown(refined) != shown(first)
    more = link(first, "More like")
    assert f"more={shown(first)[0]}" in more
    assert shown(get(client, more))[0] == shown(first)[0]


def test_less_like_a_hit_takes_it_out(client: FlaskClient) -> None:
    first = get(client, "/search?q=dog")
    less = get(client, link(first, "Less like"))
    # Once as what can be taken back, not as a hit.
    assert shown(first)[0] not in shown(less)


def test_every_refinement_has_a_way_back(client: FlaskClient) -> None:
    before = get(client, "/search?q=dog")
    one, two = shown(before)[3:5]
    page = get(client, f"/search?q=dog&more={one}&less={two}")
    assert f"less={two}" in link(page, "More like") and "more=" not in link(page, "take it back")
    assert shown(get(client, link(page, "Back to the search"))) == shown(before)


def test_choosing_the_other_side_changes_sides(client: FlaskClient) -> None:
    page = get(client, "/search?q=dog&less=3")
    assert "Refined by" in page
    both = get(client, "/search?q=dog&more=3&less=3")
    assert shown(both) == shown(get(client, "/search?q=dog&more=3"))


def test_refining_without_words(client: FlaskClient, shared_library: Library) -> None:
    some = list(shared_library.ids().values())[:3]
    page = get(client, f"/search?more={','.join(map(str, some))}")
    assert set(shown(page)[:6]) & set(some)


@pytest.mark.parametrize("text", ["more=x", "more=", "less=,,", "more=-3"])
def test_refinements_that_make_no_sense_are_none(client: FlaskClient, text: str) -> None:
    assert shown(get(client, f"/search?q=dog&{text}")) == shown(get(client, "/search?q=dog"))


def test_a_picture_that_is_not_there(client: FlaskClient) -> None:
    assert "#999999" in get(client, "/search?q=dog&more=999999", 400)
    answer = client.get("/api/v1/search?q=%23999999")
    assert answer.status_code == 400
    assert "#999999" in answer.get_json()["error"]["message"]


def test_the_api_refines_and_goes_on(client: FlaskClient) -> None:
    first = client.get("/api/v1/search?q=dog&limit=10").get_json()
    second = client.get(f"/api/v1/search?q=dog&limit=10&from={first['next']}").get_json()
    whole = client.get("/api/v1/search?q=dog&limit=20").get_json()
    ids = [hit["id"] for hit in first["hits"] + second["hits"]]
    assert ids == [hit["id"] for hit in whole["hits"]]
    refined = client.get(f"/api/v1/search?q=dog&limit=10&less={ids[0]}").get_json()
    assert ids[0] not in [hit["id"] for hit in refined["hits"]]


class TestTheLine:
    @pytest.fixture
    def lined(self, app_of_samples: Flask) -> FlaskClient:
        site.of(app_of_samples).relevance.refresh()
        return app_of_samples.test_client()

    @pytest.fixture
    def app_of_samples(self, shared_library: Library, client: FlaskClient) -> Flask:
        return client.application

    def test_weaker_matches_stand_apart(self, lined: FlaskClient) -> None:
        answer = lined.get("/api/v1/search?q=dog&limit=60").get_json()
        matches = [hit["id"] for hit in answer["hits"] if hit["score"] >= answer["line"]]
        assert 0 < len(matches) < 60
        page = get(lined, "/search?q=dog")
        while "Weaker matches" not in page:
            page = get(lined, link(page, "More <"))
        above, below = page.split("Weaker matches")
        assert set(shown(above)) <= set(matches)
        assert not set(shown(below)) & set(matches)

    def test_nonsense_finds_nothing_close(self, lined: FlaskClient) -> None:
        page = get(lined, "/search?q=quarterly+tax+spreadsheet")
        assert "Nothing in the library is close to this" in page
        assert shown(page)

    def test_a_mixed_query_has_no_line(self, lined: FlaskClient) -> None:
        assert lined.get("/api/v1/search?q=dog+%2B+%233").get_json()["line"] is None


def test_near_duplicates_stand_behind_one_hit(own_library: Library, encoder: Encoder) -> None:
    photos: Path = own_library.photos
    drawing(50).save(photos / "one.png")
    drawing(50).save(photos / "again.jpg", quality=80)
    crawl_folder(own_library.settings, encoder, photos)
    with opened(own_library.settings) as app:
        duplicates = site.of(app).duplicates
        duplicates.refresh()
        ids = own_library.ids()
        pair = {ids["one.png"], ids["again.jpg"]}
        assert duplicates.group_of(ids["one.png"])
        page = get(app.test_client(), f"/search?q=dog&more={ids['one.png']}")
        assert len(pair & set(shown(page))) == 1
        assert "and 1 nearly the same" in page


def test_surprise(client: FlaskClient, empty_client: FlaskClient) -> None:
    found = {client.get("/random").headers["Location"] for _ in range(20)}
    assert len(found) > 5
    assert all(re.fullmatch(r"/pictures/\d+", place) for place in found)
    assert "/random" in get(client, "/")
    assert empty_client.get("/random").headers["Location"] == "/"
