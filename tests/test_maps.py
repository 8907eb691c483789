"""Maps of a library: built with UMAP, once for all that is looked at, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from library import collections, map_points, maps, meta
from library.database import Database
from library.matrix import Matrix
from library.prune import forget_pictures
from library.salvage import salvage
from library.settings import Settings, load_settings
from library.spaces import Space
from mlx_clip import Encoder
from search.__main__ import main
from search.clusters import Recipe, by_size, numbers_to_try
from search.map_build import Builder, Wanted
from search.map_grow import age_of, grow, is_stale
from tests.map_fixtures import Run, clusters_of, fill_library, groups, put_map, run, space, space_of

__all__ = ["run", "space"]

SIZES = (60, 40, 30)
FOLDERS = ("/p/a",) * 60 + ("/p/b",) * 40 + ("/p/c",) * 30
LABELS = [0] * 60 + [1] * 40 + [2] * 30


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Database]:
    """Three groups of pictures, and the maps "three" and "dense", built for real."""
    settings = load_settings(
        {"DATA_DIR": str(tmp_path_factory.mktemp("maps")), "CLIP_MODEL": "starter"}
    )
    database = Database(settings.database_path)
    meta.set_model(database.connection, "starter", encoder.space)
    space = space_of(database, encoder)
    fill_library(database, space, groups(SIZES), FOLDERS)
    data = ["--data", str(settings.data_dir), "--json"]
    assert main(["map", "build", "three", *data]) == 0
    options = ["--method", "hdbscan", "--smallest", "20"]
    assert main(["map", "build", "dense", *options, *data]) == 0
    yield database
    database.close()


def named(database: Database, name: str) -> maps.Map:
    found = maps.named(database.connection, name)
    assert found is not None
    return found


def test_groups_of_pictures_are_clusters(built: Database) -> None:
    one = named(built, "three")
    found = clusters_of(built, one.id)
    assert [found[image_id] for image_id in sorted(found)] == LABELS
    assert one.parameters["seed"] == 0
    assert one.figures["clusters"] == 3
    assert 0 < one.figures["variance_kept"] <= 1
    curve = dict(one.figures["silhouettes"])
    assert max(curve, key=lambda k: curve[k]) == 3
    assert list(curve) == numbers_to_try(130)
    assert {"pca", "neighbours", "umap", "plane", "clusters"} <= set(one.figures["seconds"])


def test_centroids_are_means_of_the_vectors_themselves(built: Database) -> None:
    made = groups(SIZES)
    centroids = maps.centroids(built.connection, named(built, "three").id)
    for number, centroid in enumerate(centroids):
        mean = made[np.array(LABELS) == number].mean(axis=0)
        assert np.allclose(centroid, mean / np.linalg.norm(mean), atol=1e-4)


def test_clusters_know_their_most_typical_pictures_and_words(built: Database) -> None:
    made = groups(SIZES)
    one = named(built, "three")
    centroids = maps.centroids(built.connection, one.id)
    for each in maps.clusters(built.connection, one.id):
        ids = np.flatnonzero(np.array(LABELS) == each.number) + 1
        cosines = made[ids - 1] @ centroids[each.number]
        assert each.medoids[0] == ids[cosines.argmax()]
        assert each.spread == pytest.approx(1 - cosines.mean(), abs=1e-3)
        assert each.labels


def test_neighbours_lie_together_on_the_plane(built: Database) -> None:
    points = map_points.points(built.connection, named(built, "three").id)
    places = np.stack([points.x, points.y], axis=1).astype(float)
    assert places.min() >= 0
    assert places.max() == map_points.SIDE
    middles = np.stack([places[points.clusters == n].mean(axis=0) for n in range(3)])
    nearest = np.linalg.norm(places[:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == points.clusters).mean() > 0.95


def test_hdbscan_finds_them_too_and_maps_are_compared(
    built: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named(built, "dense").parameters["method"] == "hdbscan"
    data = ["--data", str(built.path.parent)]
    assert main(["map", "compare", "three", "dense", "--json", *data]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rand_index"] > 0.9
    assert found["matches"][0][:2] == [0, 0]


def test_a_map_is_drawn(built: Database, tmp_path: Path) -> None:
    data = ["--data", str(built.path.parent)]
    assert main(["map", "show", "three", "--png", str(tmp_path / "map.png"), *data]) == 0
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (1600, 1600)
        assert len(image.getcolors(1 << 20) or ()) > 5
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_the_same_seed_gives_the_same_map(built: Database, encoder: Encoder) -> None:
    """And a name that somebody gave stays with its cluster."""
    one = named(built, "three")
    before = map_points.points(built.connection, one.id)
    with built.transaction() as connection:
        maps.name_cluster(connection, one.id, 1, "mine")
    space = space_of(built, encoder)
    builder = Builder(built, space, Matrix(built.path.parent, built, space), encoder)
    builder.build(Wanted("three", recipe=Recipe(clusters=3)))
    again = named(built, "three")
    after = map_points.points(built.connection, again.id)
    assert again.id == one.id
    assert np.array_equal(before.x, after.x)
    assert np.array_equal(before.clusters, after.clusters)
    names = [each.name for each in maps.clusters(built.connection, one.id)]
    assert names == [None, "mine", None]


def test_new_pictures_are_placed_where_their_like_are(
    settings: Settings, database: Database, space: Space
) -> None:
    every = groups((70, 50, 40))
    numbers = np.repeat((0, 1, 2), (70, 50, 40))
    old = np.concatenate([np.flatnonzero(numbers == n)[:-10] for n in range(3)])
    new = np.setdiff1d(np.arange(160), old)
    ids = fill_library(database, space, every[old], ["/p"] * 130)
    map_id = put_map(database, space, ids, numbers[old].tolist(), every[old])
    later = fill_library(database, space, every[new], ["/p"] * 30)
    one = maps.get(database.connection, map_id)
    assert one is not None
    assert age_of(database, one).waiting == 30
    grown = grow(database, Matrix(settings.data_dir, database, space), space, one)
    assert grown.placed == 30
    found = clusters_of(database, map_id)
    assert [found[image_id] for image_id in later] == numbers[new].tolist()
    points = map_points.points(database.connection, map_id)
    x = dict(zip(points.image_ids.tolist(), points.x.tolist(), strict=True))
    for image_id, number in zip(later, numbers[new].tolist(), strict=True):
        assert abs(x[image_id] - map_points.SIDE * (number + 1) // 4) < 2_000
    age = age_of(database, one)
    assert (age.placed, age.waiting, age.gone) == (30, 0, 0)
    assert not is_stale(age)


def test_what_is_unlike_all_is_noise_where_there_is_noise(
    settings: Settings, database: Database, space: Space
) -> None:
    made = groups((30, 30, 5))
    labels = [0] * 30 + [1] * 30 + [map_points.NOISE] * 5
    ids = fill_library(database, space, made, ["/p"] * 65)
    map_id = put_map(database, space, ids, labels, made)
    odd, like = groups((1,), seed=9), groups((30, 30, 5), noise=0.1)[:1]
    later = fill_library(database, space, np.concatenate([odd, like]), ["/p"] * 2)
    one = maps.get(database.connection, map_id)
    assert one is not None
    grow(database, Matrix(settings.data_dir, database, space), space, one)
    found = clusters_of(database, map_id)
    assert [found[image_id] for image_id in later] == [map_points.NOISE, 0]


def test_a_map_says_when_it_is_stale(database: Database, space: Space) -> None:
    made = groups((20, 20))
    ids = fill_library(database, space, made, ["/p"] * 40)
    map_id = put_map(database, space, ids, [0] * 20 + [1] * 20, made)
    one = maps.get(database.connection, map_id)
    assert one is not None
    assert not is_stale(age_of(database, one))
    with database.transaction() as connection:
        connection.execute("UPDATE files SET missing_since = 1 WHERE image_id <= 8")
    age = age_of(database, one)
    assert (age.points, age.gone) == (32, 8)
    assert is_stale(age)
    assert len(map_points.points(database.connection, map_id)) == 32


def test_pictures_that_were_forgotten_are_gone_and_the_map_stays(
    database: Database, space: Space, run: Run
) -> None:
    made = groups((20, 20))
    ids = fill_library(database, space, made, ["/p"] * 40)
    map_id = put_map(database, space, ids, [0] * 20 + [1] * 20, made)
    with database.transaction() as connection:
        connection.execute("DELETE FROM files WHERE image_id <= 3")
        forget_pictures(connection, [1, 2, 3])
    one = maps.get(database.connection, map_id)
    assert one is not None
    assert age_of(database, one).gone == 3
    assert map_points.sizes(database.connection, map_id) == {0: 17, 1: 20}
    assert run("show", "made-up") == 0


def test_what_people_wrote_outlives_a_damaged_database(database: Database, space: Space) -> None:
    made = groups((10, 10))
    ids = fill_library(database, space, made, ["/p/a"] * 20)
    map_id = put_map(database, space, ids, [0] * 10 + [1] * 10, made)
    with database.transaction() as connection:
        maps.name_cluster(connection, map_id, 1, "mine")
        collections.remember(connection, "art", "folder", b"/p")
        collections.refresh(connection)
    before = map_points.points(database.connection, map_id)
    database.close()
    salvage(database.path)
    mended = Database(database.path)
    after = map_points.points(mended.connection, map_id)
    assert np.array_equal(before.image_ids, after.image_ids)
    assert [each.name for each in maps.clusters(mended.connection, map_id)] == [None, "mine"]
    assert [one.name for one in collections.collections(mended.connection)] == ["art"]
    assert len(collections.pairs(mended.connection)) == 20
    mended.close()


def test_maps_are_listed_renamed_and_deleted(
    database: Database, space: Space, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    made = groups((10, 10))
    ids = fill_library(database, space, made, ["/p"] * 20)
    put_map(database, space, ids, [0] * 10 + [1] * 10, made, "first")
    put_map(database, space, ids, [0] * 10 + [1] * 10, made, "second")
    assert run("list") == 0
    assert "first: 20 pictures in 2 clusters" in capsys.readouterr().out
    assert run("rename", "first", "second") == 1
    assert "There is a map “second” already" in capsys.readouterr().err
    assert run("rename", "first", "new") == 0
    assert run("rename", "new", "mine", "--cluster", "2") == 0
    assert run("show", "new") == 0
    assert "“mine”" in capsys.readouterr().out
    assert run("delete", "new") == 0
    assert [one.name for one in maps.maps(database.connection)] == ["second"]
    (left,) = database.connection.execute("SELECT count(*) FROM map_points").fetchone()
    assert left == 20
    assert run("show", "new") == 1
    assert "There is no map “new”. There are: second." in capsys.readouterr().err


def test_as_many_clusters_are_tried_as_there_may_be() -> None:
    assert numbers_to_try(8) == [2]
    assert numbers_to_try(130)[:3] == [2, 3, 4]
    assert numbers_to_try(130)[-1] == 26
    assert (numbers_to_try(50_000)[0], numbers_to_try(50_000)[-1]) == (12, 64)


def test_clusters_are_numbered_by_size_and_noise_stays() -> None:
    labels = by_size(np.array([2, 2, 2, -1, 0, 1, 1]))
    assert labels.tolist() == [0, 0, 0, -1, 2, 1, 1]
