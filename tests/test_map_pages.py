"""Maps on the site: asked, looked at, named, built; and their points as bytes."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from flask.testing import FlaskClient

from library import map_points, maps, spaces, vectors
from library.database import Database
from library.map_points import NOISE, Points
from library.spaces import Space
from mlx_clip import Encoder
from tests.map_fixtures import put_map
from tests.web_fixtures import Library, client, opened, own_library, wait_until
from web import site
from web.maps_api import packed

__all__ = ["client", "own_library"]


@pytest.fixture
def own(own_library: Library, encoder: Encoder) -> Iterator[FlaskClient]:
    """A site over eight drawings and a map of them in two clusters, that may be changed."""
    database = Database(own_library.settings.database_path)
    space = spaces.space(database.connection, encoder.space, encoder.dim)
    rows = vectors.after(database.connection, space, 0, 100)
    put_map(database, space, rows.image_ids, [0] * 5 + [1] * 3, rows.vectors)
    database.close()
    with opened(own_library.settings) as app:
        yield app.test_client()


def text(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_prompt_leads_to_clusters_and_items(client: FlaskClient) -> None:
    page = text(client, "/styles?q=a+dog")
    assert 'href="/maps/1/clusters/' in page
    assert 'href="/items/' in page
    answer = client.get("/api/v1/styles?q=a+dog").get_json()
    scores = [cluster["score"] for cluster in answer["clusters"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["lead"] == pytest.approx(scores[0] - scores[1], abs=1e-3)
    first = answer["clusters"][0]
    assert len(first["examples"]) == 6
    best = [item["score"] for item in first["items"]]
    assert best == sorted(best, reverse=True)
    assert first["items"][0]["name"] == "animals"


def test_a_picture_of_the_library_or_one_that_is_sent(client: FlaskClient) -> None:
    answer = client.get("/api/v1/styles?q=%234").get_json()
    assert 4 in [cluster["examples"][0]["id"] for cluster in answer["clusters"]]
    with (site.of(client.application).settings.data_dir.parent / "photos/animals/beagle.png").open(
        "rb"
    ) as file:
        page = client.post("/styles", data={"image": file})
    assert page.status_code == 200
    assert "What fits best" in page.get_data(as_text=True)


def test_the_page_of_a_map_lists_its_clusters(client: FlaskClient) -> None:
    page = text(client, "/maps/1")
    assert "label 0, another" in page
    assert page.count('class="cluster"') == 2
    assert client.get("/maps/99").status_code == 404


def test_a_cluster_shows_the_most_typical_first(client: FlaskClient, encoder: Encoder) -> None:
    the_site = site.of(client.application)
    one = maps.get(the_site.database.connection, 1)
    assert one is not None
    ids = the_site.styles.typical(one, 0)
    made = vectors.of_images(the_site.database.connection, the_site.space, ids)
    cosines = made @ maps.centroids(the_site.database.connection, 1)[0]
    assert (np.diff(cosines) <= 1e-6).all()
    page = text(client, "/maps/1/clusters/1")
    assert page.index(f'data-picture="{ids[0]}"') < page.index(f'data-picture="{ids[5]}"')
    assert client.get("/maps/1/clusters/9").status_code == 404


def test_a_collection_leads_to_its_items_and_they_to_their_pictures(client: FlaskClient) -> None:
    page = text(client, "/collections/1")
    assert ">animals</a>" in page
    assert 'class="tile' in text(client, "/items/1")
    for url in ("/collections/99", "/items/99"):
        assert client.get(url).status_code == 404


def test_a_cluster_is_named_on_the_page(own: FlaskClient) -> None:
    done = own.post("/maps/1/clusters/2/name", data={"name": "  My  drawings "})
    assert done.headers["Location"] == "/maps/1#cluster-2"
    assert "My drawings" in text(own, "/maps/1")
    assert own.post("/maps/1/clusters/2/name", data={"name": "x" * 99}).status_code == 400
    own.post("/maps/1/clusters/2/name", data={"name": ""})
    assert "My drawings" not in text(own, "/maps/1")
    assert own.post("/maps/1/clusters/9/name", data={"name": "a"}).status_code == 404


def test_a_map_is_renamed_and_deleted_on_the_page(own: FlaskClient) -> None:
    own.post("/maps/1/name", data={"name": "another"})
    assert "another" in text(own, "/styles")
    assert own.post("/maps/1/delete").status_code == 303
    assert own.get("/maps/1").status_code == 404


@pytest.mark.parametrize(
    "url",
    ["/maps", "/maps/1/grow", "/maps/1/again", "/maps/1/delete", "/maps/1/name", "/maps/stop"],
)
def test_maps_are_changed_from_the_machine_itself_alone(own: FlaskClient, url: str) -> None:
    answer = own.post(url, data={"name": "a"}, environ_base={"REMOTE_ADDR": "192.168.1.7"})
    assert answer.status_code == 403


def test_points_are_as_described(client: FlaskClient) -> None:
    answer = client.get("/api/v1/maps/1/points")
    content = answer.get_data()
    connection = site.of(client.application).database.connection
    known = map_points.points(connection, 1)
    magic, count = struct.unpack_from("<4sI", content)
    assert (magic, count) == (b"KMP1", len(known))
    assert len(content) == 8 + 10 * count
    ids = np.frombuffer(content, "<u4", count, 8)
    x, y, clusters = np.frombuffer(content, "<u2", 3 * count, 8 + 4 * count).reshape(3, count)
    assert ids.tolist() == known.image_ids.tolist()
    assert x.tolist() == known.x.tolist()
    assert y.tolist() == known.y.tolist()
    assert clusters.tolist() == known.clusters.tolist()


def test_points_are_sent_once(client: FlaskClient) -> None:
    first = client.get("/api/v1/maps/1/points", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    plain = client.get("/api/v1/maps/1/points").get_data()
    assert gzip.decompress(first.get_data()) == plain
    headers = {"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    again = client.get("/api/v1/maps/1/points", headers=headers)
    assert (again.status_code, again.get_data()) == (304, b"")


def test_points_that_changed_are_sent_anew(own: FlaskClient) -> None:
    first = own.get("/api/v1/maps/1/points")
    with site.of(own.application).database.transaction() as connection:
        connection.execute("UPDATE files SET missing_since = 1 WHERE image_id = 3")
    headers = {"If-None-Match": first.headers["ETag"]}
    again = own.get("/api/v1/maps/1/points", headers=headers)
    assert again.status_code == 200
    assert len(again.get_data()) == len(first.get_data()) - 10


def test_noise_is_the_last_number() -> None:
    column = np.array([7], np.int32)
    content = packed(Points(np.array([70_000]), np.array([NOISE], np.int32), column, column))
    assert struct.unpack("<4sIIHHH", content) == (b"KMP1", 1, 70_000, 7, 7, 0xFFFF)


def test_a_map_that_cannot_be_built_is_said_on_the_page(own: FlaskClient) -> None:
    """By a process of its own; the map that is there stays."""
    assert own.post("/maps", data={"name": "b", "clusters": "many"}).status_code == 400
    done = own.post("/maps", data={"name": "made-up", "clusters": "30"})
    assert done.status_code == 303
    assert own.post("/maps", data={"name": "b"}).status_code == 409
    wait_until(lambda: "is being made" not in text(own, "/styles"))
    page = text(own, "/styles")
    assert "8 pictures cannot lie in 30 clusters: ask for fewer." in page
    assert "8 pictures in 2 clusters" in page


def test_building_is_stopped_on_the_page(own: FlaskClient) -> None:
    own.post("/maps", data={"name": "b"})
    assert "“b” is being made" in text(own, "/styles")
    own.post("/maps/stop")
    assert "Stopped; nothing was changed." in text(own, "/styles")
    assert [one["name"] for one in own.get("/api/v1/maps").get_json()["maps"]] == ["made-up"]


def test_new_pictures_are_placed_from_the_page(own: FlaskClient) -> None:
    database = site.of(own.application).database
    with database.transaction() as connection:
        connection.execute("DELETE FROM map_points WHERE image_id = 8")
    assert "Place new pictures" in text(own, "/maps/1")
    own.post("/maps/1/grow")
    wait_until(lambda: "is being made" not in text(own, "/styles"))
    page = text(own, "/maps/1")
    assert "Place new pictures" not in page
    assert "8 pictures in 2 clusters" in page


def test_a_map_of_another_model_is_said_to_be(own: FlaskClient) -> None:
    database = site.of(own.application).database
    other: Space = spaces.space(database.connection, "other", 8)
    with database.transaction() as connection:
        connection.execute("UPDATE maps SET space_id = ?", (other.id,))
    assert "made with another model" in text(own, "/styles")
    assert "made with another model" in text(own, "/maps/1")
    assert own.get("/maps/1/clusters/1").status_code == 200
    answer = own.get("/api/v1/styles?q=dog&map=1")
    assert answer.status_code == 400
    assert "made with another model" in json.dumps(answer.get_json(), ensure_ascii=False)
    assert own.get("/api/v1/styles?q=dog").status_code == 404
