"""The ranking is right at every moment: while the index is made, moved, behind, and gone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import numpy as np
import pytest

from library import spaces
from library.database import Database
from library.keeper import IndexKeeper
from library.matrix import Matrix
from library.models import Source
from library.spaces import Space
from library.vectors import Vectors
from search import exact
from search.ranker import Ranker
from tests.indexes import DIM, add, content, forget, opened

LIMIT = 20


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


@pytest.fixture
def keeper(database: Database, space: Space) -> Iterator[IndexKeeper]:
    keeper = IndexKeeper(database.path.parent, database, space)
    yield keeper
    keeper.stop()


@pytest.fixture
def matrix(database: Database, space: Space) -> Matrix:
    return Matrix(database.path.parent, database, space)


@pytest.fixture
def ranker(
    database: Database, matrix: Matrix, keeper: IndexKeeper, monkeypatch: pytest.MonkeyPatch
) -> Ranker:
    monkeypatch.setattr("search.ranker.SCANNED", 0)
    return Ranker(database, matrix, keeper)


def is_right(ranker: Ranker, matrix: Matrix, query: Vectors) -> Source:
    ranked, source = ranker.rank(query, LIMIT)
    wanted = exact.rank(matrix.rows(), query, LIMIT)
    assert ranked.image_ids.tolist() == wanted.image_ids.tolist(), source
    assert ranked.scores.tolist() == wanted.scores.tolist()
    return source


def ask_until_current(keeper: IndexKeeper, ranker: Ranker, matrix: Matrix) -> set[Source]:
    """Ask all the time; gives who answered until the index was current."""
    deadline = time.monotonic() + 60
    random = np.random.default_rng(3)
    sources: set[Source] = set()
    while keeper.state != "current":
        assert time.monotonic() < deadline
        query = random.normal(size=DIM).astype(np.float32)
        sources.add(is_right(ranker, matrix, query / np.linalg.norm(query)))
    return sources


def test_while_the_index_is_made(
    database: Database, space: Space, keeper: IndexKeeper, ranker: Ranker, matrix: Matrix
) -> None:
    stored = add(database, space, 3_000)
    keeper.start()
    assert "exact" in ask_until_current(keeper, ranker, matrix)
    assert is_right(ranker, matrix, stored[7]) == "index"


def test_while_shards_are_moved_into_the_graph(
    database: Database, space: Space, keeper: IndexKeeper, ranker: Ranker, matrix: Matrix
) -> None:
    stored = add(database, space, 3_000)
    with opened(database, space, shard=1_000) as index:
        index.push()
    keeper.start()
    assert "exact" in ask_until_current(keeper, ranker, matrix)
    assert is_right(ranker, matrix, stored[7]) == "index"


def test_what_is_newer_than_the_index_is_found_at_once(
    database: Database, space: Space, keeper: IndexKeeper, ranker: Ranker, matrix: Matrix
) -> None:
    add(database, space, 500)
    keeper.start()
    ask_until_current(keeper, ranker, matrix)
    later = add(database, space, 2_000, seed=1)
    for query in later[::40]:
        assert is_right(ranker, matrix, query) == "index"


def test_while_the_index_is_gone(
    database: Database, space: Space, keeper: IndexKeeper, ranker: Ranker, matrix: Matrix
) -> None:
    stored = add(database, space, 500)
    keeper.start()
    ask_until_current(keeper, ranker, matrix)
    shutil.rmtree(database.path.parent / "chroma")
    add(database, space, 600, seed=1)
    for query in stored[::5]:
        is_right(ranker, matrix, query)


def test_forgotten_pictures_cost_no_neighbours(
    database: Database, space: Space, keeper: IndexKeeper, ranker: Ranker
) -> None:
    stored = add(database, space, 500)
    keeper.start()
    deadline = time.monotonic() + 30
    while keeper.state != "current":
        assert time.monotonic() < deadline
    forget(database, *(content(n) for n in range(0, 500, 2)))
    ranked, _ = ranker.rank(stored[7], 240)
    left = {i for (i,) in database.connection.execute("SELECT id FROM images")}
    assert len(left & set(ranked.image_ids.tolist())) >= 100


@pytest.mark.parametrize("share", [2, 10, 100])
def test_among_some_the_nearest_of_them(
    database: Database,
    space: Space,
    keeper: IndexKeeper,
    ranker: Ranker,
    matrix: Matrix,
    share: int,
) -> None:
    stored = add(database, space, 2_000)
    keeper.start()
    ask_until_current(keeper, ranker, matrix)
    rows = matrix.rows()
    among = np.sort(rows.image_ids[::share])
    for query in stored[:20]:
        ranked, _ = ranker.rank(query, LIMIT, among)
        wanted = exact.rank(rows, query, LIMIT, rows.of_images(among))
        assert ranked.image_ids.tolist() == wanted.image_ids.tolist()


def test_what_a_scan_is_faster_at_is_scanned(
    database: Database,
    space: Space,
    keeper: IndexKeeper,
    ranker: Ranker,
    matrix: Matrix,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = add(database, space, 50)
    keeper.start()
    ask_until_current(keeper, ranker, matrix)
    monkeypatch.setattr("search.ranker.SCANNED", 49)
    assert is_right(ranker, matrix, stored[7]) == "index"
    monkeypatch.setattr("search.ranker.SCANNED", 50)
    assert is_right(ranker, matrix, stored[7]) == "exact"
