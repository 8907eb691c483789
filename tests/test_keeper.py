"""IndexKeeper: the site's index follows what a crawl writes, and never lies meanwhile."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import pytest

from library import spaces
from library.database import Database
from library.index import VectorIndex
from library.keeper import IndexKeeper
from library.spaces import Space
from tests.indexes import DIM, add, content, forget, in_chroma, opened


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


@pytest.fixture
def keeper(database: Database, space: Space) -> Iterator[IndexKeeper]:
    keeper = IndexKeeper(database.path.parent, database, space)
    yield keeper
    keeper.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_it_indexes_what_is_there_and_what_comes(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    matrix = add(database, space, 30)
    assert keeper.query(matrix[0], 1) is None
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    assert keeper.count() == 30
    later = add(database, space, 10, seed=1)
    wait_for(lambda: keeper.count() == 40 and keeper.state == "current")
    answer = keeper.query(later[3], 1)
    assert answer is not None
    assert answer.hits[0][0] == content(3, seed=1)


def test_it_says_how_far_its_answers_are_complete(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    add(database, space, 30)
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    new = add(database, space, 1, seed=1)
    answer = keeper.query(new[0], 1)
    assert answer is not None
    assert answer.complete == 30 or answer.hits[0][0] == content(0, seed=1)


def test_it_takes_out_what_is_forgotten(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    matrix = add(database, space, 30)
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    forget(database, content(29), content(3))  # the newest too
    wait_for(lambda: keeper.count() == 28 and keeper.state == "current")
    answer = keeper.query(matrix[3], 30)
    assert answer is not None
    assert {found for found, _ in answer.hits} == {content(n) for n in range(29) if n != 3}
    add(database, space, 1, seed=1)
    wait_for(lambda: keeper.count() == 29 and keeper.state == "current")


def test_a_shard_that_lost_vectors_is_filled_again_before_it_answers(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    matrix = add(database, space, 30)
    with opened(database, space) as index:
        index.push()
    in_chroma(database, lambda collection: collection.delete(ids=[content(3).hex()]))
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    answer = keeper.query(matrix[3], 1)
    assert answer is not None
    assert answer.hits[0][0] == content(3)


@pytest.mark.fault("two programs on one library")
def test_it_waits_for_another_owner_and_then_takes_over(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    matrix = add(database, space, 5)
    other = VectorIndex(database.path.parent, database, space, "a crawl")
    keeper.start()
    wait_for(lambda: keeper.state == "busy")
    assert keeper.owner.startswith("a crawl")
    assert keeper.query(matrix[0], 1) is None
    other.close()
    wait_for(lambda: keeper.state == "current")
    assert keeper.count() == 5


@pytest.mark.fault("index damaged while running")
def test_a_directory_that_is_deleted_meanwhile_is_made_again(
    keeper: IndexKeeper, database: Database, space: Space
) -> None:
    matrix = add(database, space, 30)
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    shutil.rmtree(database.path.parent / "chroma")
    keeper.count()  # may be answered, or not, but never raises
    add(database, space, 600, seed=1)
    wait_for(lambda: keeper.state == "current" and keeper.count() == 630)
    answer = keeper.query(matrix[0], 1)
    assert answer is not None
    assert answer.hits[0][0] == content(0)


def test_it_closes_cleanly(keeper: IndexKeeper, database: Database, space: Space) -> None:
    add(database, space, 5)
    keeper.start()
    wait_for(lambda: keeper.state == "current")
    keeper.stop()
    assert keeper.state == "closed"
    assert not (database.path.parent / "chroma.open").exists()
    index = VectorIndex(database.path.parent, database, space, "a test")
    assert index.count() == 5
    index.close()
