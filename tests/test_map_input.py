"""What cannot be mapped, said; and no map half written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from library import collections, map_points, maps
from library.database import Database
from library.matrix import Matrix
from library.settings import Settings
from library.spaces import Space
from search.clusters import Recipe, cluster
from search.errors import MapError
from search.map_build import Builder, Wanted
from search.map_grow import grow
from tests.map_fixtures import Run, builder, fill_library, groups, put_map, run, space
from tests.program import ROOT

__all__ = ["builder", "run", "space"]

BAD: dict[str, tuple[np.ndarray, Recipe, str]] = {
    "fewer pictures than clusters": (
        groups((5, 5)),
        Recipe(clusters=12),
        "10 pictures cannot lie in 12 clusters",
    ),
    "all the same": (
        np.repeat(groups((1,)), 20, axis=0),
        Recipe(),
        "All 20 pictures are the same",
    ),
    "fewer different ones than clusters": (
        np.repeat(groups((1, 1)), 10, axis=0),
        Recipe(clusters=5),
        "Only 2 of 20 pictures differ",
    ),
    "one picture": (groups((1,)), Recipe(), "needs 8 pictures or more; there are 1."),
    "one cluster": (groups((9, 9)), Recipe(clusters=1), "1 clusters are no map"),
    "no cluster": (groups((9, 9)), Recipe(clusters=0), "0 clusters are no map"),
    "too small": (groups((9,)), Recipe("hdbscan", smallest=1), "2 pictures or more"),
    "seed": (groups((9,)), Recipe(seed=-1), "A seed is a whole number"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_mapped_is_said_and_nothing_is_kept(
    database: Database, space: Space, builder: Builder, kind: str
) -> None:
    made, recipe, message = BAD[kind]
    fill_library(database, space, made, ["/p"] * len(made))
    with pytest.raises(MapError, match=message):
        builder.build(Wanted("bad", recipe=recipe))
    assert maps.maps(database.connection) == []


def test_a_vector_that_is_no_number_is_named(
    database: Database, space: Space, builder: Builder
) -> None:
    made = groups((10, 10))
    made[3, 7] = np.nan
    made[5] = 0
    fill_library(database, space, made, ["/p"] * 20)
    message = r"2 of 20 pictures have a damaged vector \(#4, #6\).*doctor --mend"
    with pytest.raises(MapError, match=message):
        builder.build(Wanted("bad"))
    assert maps.maps(database.connection) == []


def test_a_collection_with_empty_items(database: Database, space: Space, builder: Builder) -> None:
    made = groups((10, 10))
    fill_library(database, space, made, ["/p/a"] * 20)
    with database.transaction() as connection:
        collections.remember(connection, "empty", "folder", b"/q")
        one = collections.remember(connection, "some", "folder", b"/p")
        collections.refresh(connection)
        collections.put_item(connection, one, "no pictures", collections.About("none"))
    with pytest.raises(MapError, match="“empty” has no pictures that were read"):
        builder.build(Wanted("bad", collection="empty"))
    with pytest.raises(MapError, match=r"There is no collection “else”\. There are: empty, some\."):
        builder.build(Wanted("bad", collection="else"))
    assert maps.maps(database.connection) == []
    assert len(map_points.mappable(database.connection, space.id, one.id)) == 20


def test_a_map_of_another_space_is_not_used(
    settings: Settings, database: Database, space: Space
) -> None:
    made = groups((10, 10))
    ids = fill_library(database, space, made, ["/p"] * 20)
    map_id = put_map(database, space, ids, [0] * 10 + [1] * 10, made)
    other = Space(space.id + 1, "other", space.dim)
    one = maps.get(database.connection, map_id)
    assert one is not None
    with pytest.raises(MapError, match="made with another model"):
        grow(database, Matrix(settings.data_dir, database, space), other, one)


def test_a_library_without_pictures(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", "bad") == 2
    assert "there is no library" in capsys.readouterr().err


def test_an_empty_library(database: Database, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", "bad") == 1
    assert "has no pictures yet" in capsys.readouterr().err


def test_a_build_that_is_ended_leaves_nothing(
    settings: Settings, database: Database, space: Space
) -> None:
    """A real SIGTERM, in the middle of UMAP."""
    fill_library(database, space, groups((60, 40, 30)), ["/p"] * 130)
    command = [sys.executable, "-m", "search", "map", "build", "cut", "--json"]
    command += ["--data", str(settings.data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["at"]["step"] == "umap":
                process.send_signal(signal.SIGTERM)
                break
        assert process.wait(60) != 0
    assert maps.maps(database.connection) == []
    (rows,) = database.connection.execute("SELECT count(*) FROM map_points").fetchone()
    assert rows == 0


def test_importing_the_rooms_imports_neither_of_the_packages() -> None:
    script = "import sys, app, search.__main__, search.clusters\n" + (
        "assert not {'sklearn', 'umap', 'numba', 'scipy'} & set(sys.modules)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stderr, time.monotonic() - started)


def test_without_the_packages_it_is_said_what_to_install() -> None:
    script = (
        "import sys, importlib.util as util\n"
        "real = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'umap' else real(name)\n"
        "from search.projection import check_installed\n"
        "check_installed()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert "pip install -r requirements-map.txt" in done.stderr


def test_a_recipe_that_finds_no_dense_cluster_says_so() -> None:
    with pytest.raises(MapError, match="No cluster can have 90 of 20 pictures"):
        cluster(groups((20,)), Recipe("hdbscan", smallest=90))
