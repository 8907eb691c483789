"""The JSON API."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from library import spaces, vectors
from library.database import Database
from mlx_clip import Encoder
from tests import hostile
from tests.web_fixtures import (
    SAMPLES,
    Library,
    client,
    empty_client,
    opened,
    own_library,
    wait_until,
)
from web import site

__all__ = ["client", "empty_client", "own_library"]

BEAGLE = SAMPLES / "animals" / "beagle.png"


def get(client: FlaskClient, url: str, status: int = 200) -> Any:
    answer = client.get(url)
    assert answer.status_code == status, answer.data
    assert answer.mimetype == "application/json"
    return answer.get_json()


def post(client: FlaskClient, status: int = 200, **fields: Any) -> Any:
    answer = client.post("/api/v1/search", data=fields)
    assert answer.status_code == status, answer.data
    return answer.get_json()


def beagle() -> tuple[io.BytesIO, str]:
    return io.BytesIO(BEAGLE.read_bytes()), "beagle.png"


def test_status_when_index_and_database_agree(own_library: Library) -> None:
    with opened(own_library.settings) as app:
        keeper = site.of(app).keeper
        keeper.start()
        wait_until(lambda: keeper.state == "current")
        status = get(app.test_client(), "/api/v1/status")
    assert status["counts"] == {
        "files": 8,
        "pictures": 8,
        "encoded": 8,
        "failed": 0,
        "missing": 0,
    }
    assert status["model"]["starter"] is True
    assert status["model"]["dim"] == 576
    assert status["model"]["runtime"] == "ONNX Runtime on the CPU"
    assert status["model"]["why"] == "the starter model is made for it"
    index = status["index"]
    assert (index["state"], index["agrees"]) == ("current", True)
    assert index["holds"] == index["expected"] == 8
    assert "the site" in index["owner"]
    assert status["crawl"] is None


def test_status_without_an_open_index_claims_no_agreement(client: FlaskClient) -> None:
    index = get(client, "/api/v1/status")["index"]
    assert (index["state"], index["holds"], index["agrees"]) == ("closed", None, False)


def test_the_index_and_the_exact_scan_give_the_same_hits(
    own_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.ranker.SCANNED", 0)
    with opened(own_library.settings) as app:
        client = app.test_client()
        exact = get(client, "/api/v1/search?q=blue+circle")
        keeper = site.of(app).keeper
        keeper.start()
        wait_until(lambda: keeper.state == "current")
        indexed = get(client, "/api/v1/search?q=blue+circle")
    assert (exact["source"], indexed["source"]) == ("exact", "index")
    assert [hit["id"] for hit in exact["hits"]] == [hit["id"] for hit in indexed["hits"]]


def test_search_by_words(client: FlaskClient, shared_library: Library) -> None:
    answer = get(client, "/api/v1/search?q=penguin&limit=3")
    assert len(answer["hits"]) == 3
    assert "penguin" in answer["hits"][0]["path"]
    assert answer["total"] == len(set(shared_library.ids().values()))
    assert answer["model"].startswith("starter")
    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 < answer["seconds"] < 5


def test_a_hit_says_where_everything_is(client: FlaskClient) -> None:
    hit = get(client, "/api/v1/search?q=dog&limit=1")["hits"][0]
    assert set(hit) == {"id", "score", "width", "height", "path", "places", "urls"}
    assert hit["width"] > 0
    for url in hit["urls"].values():
        with client.get(url) as answer:
            assert answer.status_code == 200


def test_pages_of_a_search_repeat_nothing_and_miss_nothing(client: FlaskClient) -> None:
    total = get(client, "/api/v1/search?q=car")["total"]
    pages = [
        get(client, f"/api/v1/search?q=car&limit=50&offset={offset}")["hits"]
        for offset in range(0, total + 50, 50)
    ]
    ids = [hit["id"] for page in pages for hit in page]
    assert len(ids) == len(set(ids)) == total
    assert pages[-1] == []


@pytest.mark.parametrize(
    "window",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=-1",
        "limit=1.5",
        "limit=" + "9" * 5000,
        "limit=",
        "offset=-1",
        "offset=٣",
    ],
)
def test_windows_that_make_no_sense(client: FlaskClient, window: str) -> None:
    error = get(client, f"/api/v1/search?q=dog&{window}", 400)["error"]
    assert error["code"] == "bad_request"
    assert "whole number" in error["message"]
    assert get(client, f"/api/v1/pictures/1/similar?{window}", 400)["error"] == error


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%09"])
def test_search_without_words(client: FlaskClient, query: str) -> None:
    assert "q=dog" in get(client, f"/api/v1/search{query}", 400)["error"]["message"]


def test_search_for_more_than_anybody_types(client: FlaskClient) -> None:
    error = get(client, f"/api/v1/search?q={'a' * 10_000}", 400)["error"]
    assert "10,000" in error["message"]
    assert error["message"].endswith(".")


@pytest.mark.parametrize("words", ["한국", "🐕", "a" * 1000, "'; DROP TABLE images;"])
def test_odd_words_are_words(client: FlaskClient, words: str) -> None:
    assert get(client, f"/api/v1/search?q={words}&limit=2")["hits"]


def test_search_by_a_picture_finds_that_picture(
    client: FlaskClient, shared_library: Library
) -> None:
    hits = post(client, image=beagle())["hits"]
    assert hits[0]["id"] == shared_library.ids()["beagle.png"]
    assert hits[0]["score"] > 0.97


@pytest.mark.parametrize("content", [b"", b"no picture", BEAGLE.read_bytes()[:2000]])
def test_search_by_what_is_no_picture(client: FlaskClient, content: bytes) -> None:
    error = post(client, 400, image=(io.BytesIO(content), "a.png"))["error"]
    assert error["message"].endswith(".")


def test_search_by_a_picture_that_is_too_large_says_what_would_read_it(client: FlaskClient) -> None:
    upload = (io.BytesIO(hostile.png(150_000, 150_000)), "a.png")
    message = post(client, 400, image=upload)["error"]["message"]
    assert "150000 x 150000 pixels take 112,121 MB of memory to decode" in message
    assert "MAX_IMAGE_MEGAPIXELS=28031 would read it" in message


def test_search_by_a_picture_needs_one_and_takes_a_query_with_it(client: FlaskClient) -> None:
    assert "No picture" in post(client, 400)["error"]["message"]
    alone = post(client, image=beagle())["hits"]
    both = post(client, image=beagle(), q="red - dog")
    assert [hit["id"] for hit in both["hits"]] != [hit["id"] for hit in alone]
    assert post(client, image=beagle(), q="type:gif")["total"] < 232
    assert post(client, 400, image=beagle(), q="befor:2019")["error"]["code"] == "bad_query"


def test_a_text_is_embedded(client: FlaskClient, encoder: Encoder) -> None:
    answer = client.post("/api/v1/embed", json={"text": "a dog"})
    assert answer.status_code == 200
    assert answer.get_json()["model"] == encoder.name
    ours = encoder.encode_texts(["a dog"])[0]
    np.testing.assert_allclose(answer.get_json()["vector"], ours, atol=1e-6)


def test_a_picture_is_embedded_as_the_crawl_embeds_it(
    client: FlaskClient, shared_library: Library
) -> None:
    answer = client.post("/api/v1/embed", data={"image": beagle()})
    vector = np.array(answer.get_json()["vector"], np.float32)
    database = Database(shared_library.settings.database_path)
    (space,) = spaces.spaces(database.connection)
    stored = vectors.after(database.connection, space, 0, 1_000).vectors
    database.close()
    assert (stored @ vector).max() > 0.9999


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"json": {}}, "Send a text"),
        ({"json": ["a dog"]}, "Send a text"),
        ({"json": {"text": 3}}, "Send a text"),
        ({"json": {"text": " "}}, "the text is empty"),
        ({"json": {"text": "a" * 100_000}}, "100,000 characters"),
        ({"data": b"{", "content_type": "application/json"}, "could not be understood"),
        ({"data": {}}, "No picture"),
        ({"data": {"image": (io.BytesIO(b"no picture"), "a.png")}}, "cannot be used as a picture"),
    ],
)
def test_what_cannot_be_embedded(client: FlaskClient, sent: Any, says: str) -> None:
    answer = client.post("/api/v1/embed", **sent)
    assert answer.status_code == 400
    assert says in answer.get_json()["error"]["message"]


def test_another_sites_page_cannot_use_the_encoder(client: FlaskClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    answer = client.post("/api/v1/embed", json={"text": "a dog"}, headers=headers)
    assert answer.status_code == 403


def test_uploads_are_limited(client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/search",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": "64000001"},
    )
    assert answer.status_code == 413
    assert answer.json is not None
    assert "64 MB" in answer.json["error"]["message"]


def test_a_picture(client: FlaskClient, shared_library: Library) -> None:
    image_id = shared_library.ids()["crab.heic"]
    picture = get(client, f"/api/v1/pictures/{image_id}")
    path = shared_library.photos / "animals" / "crab.heic"
    assert picture["format"] == "HEIF"
    assert picture["byte_size"] == path.stat().st_size
    assert [file["path"] for file in picture["files"]] == [str(path)]
    assert picture["missing"] is False


def test_similar_leaves_the_picture_itself_out(
    client: FlaskClient, shared_library: Library
) -> None:
    image_id = shared_library.ids()["beagle.png"]
    answer = get(client, f"/api/v1/pictures/{image_id}/similar?limit=500")
    ids = [hit["id"] for hit in answer["hits"]]
    assert image_id not in ids
    assert answer["total"] == len(ids) == len(set(shared_library.ids().values())) - 1


@pytest.mark.parametrize("url", ["/pictures/99999", "/pictures/99999/similar", "/nothing"])
def test_what_is_not_there(client: FlaskClient, url: str) -> None:
    assert get(client, f"/api/v1{url}", 404)["error"]["code"] == "not_found"


def test_wrong_methods(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/status")
    assert answer.status_code == 405
    assert answer.json == {
        "error": {
            "code": "method_not_allowed",
            "message": "This address does not take that kind of request.",
        }
    }
    assert "GET" in answer.headers["Allow"]


def test_an_empty_library_finds_nothing(empty_client: FlaskClient) -> None:
    answer = get(empty_client, "/api/v1/search?q=dog")
    assert (answer["hits"], answer["total"]) == ([], 0)
