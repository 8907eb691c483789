"""The mapped matrix holds what the database holds, whatever happened to its files."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from library import spaces
from library.database import Database
from library.matrix import Matrix, Rows
from library.spaces import Space
from library.vectors import Vectors
from tests.indexes import DIM, add, content, forget


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


def opened(database: Database, space: Space) -> Matrix:
    return Matrix(database.path.parent, database, space)


def files(database: Database, space: Space) -> tuple[Path, Path]:
    folder = database.path.parent / "matrix"
    return folder / f"{space.id}.ids", folder / f"{space.id}.f32"


def holds(rows: Rows, *parts: Vectors) -> bool:
    return np.array_equal(rows.vectors, np.concatenate(parts))


def test_it_grows_with_the_database(database: Database, space: Space) -> None:
    matrix = opened(database, space)
    assert len(matrix.rows()) == 0
    first = add(database, space, 30)
    before = matrix.rows()
    assert holds(before, first)
    second = add(database, space, 5, seed=1)
    assert holds(matrix.rows(), first, second)
    assert holds(before, first)  # what somebody ranks meanwhile stays as it was


def test_what_was_written_is_not_read_again(database: Database, space: Space) -> None:
    first = add(database, space, 30)
    opened(database, space).rows()
    _, stored = files(database, space)
    written = stored.stat().st_mtime_ns
    assert holds(opened(database, space).rows(), first)
    assert stored.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["cut", "garbage", "no vectors", "no ids", "longer"])
def test_files_that_are_damaged_are_made_again(
    database: Database, space: Space, damage: str
) -> None:
    first = add(database, space, 30)
    opened(database, space).rows()
    ids, stored = files(database, space)
    whole = stored.read_bytes()
    if damage == "cut":
        stored.write_bytes(whole[:100])
    elif damage == "garbage":
        stored.write_bytes(b"\x40" * len(whole))
    elif damage == "no vectors":
        stored.unlink()
    elif damage == "no ids":
        ids.write_bytes(ids.read_bytes()[:7])
    else:  # as a write that was cut off before its ids leaves them
        stored.write_bytes(whole + b"\x40" * 100)
    assert holds(opened(database, space).rows(), first)


def test_what_was_forgotten_is_gone_when_it_is_opened_again(
    database: Database, space: Space
) -> None:
    first = add(database, space, 30)
    matrix = opened(database, space)
    matrix.rows()
    forget(database, content(3), content(29))
    later = add(database, space, 1, seed=1)
    assert holds(matrix.rows(), first, later)
    assert holds(opened(database, space).rows(), np.delete(first, [3, 29], axis=0), later)


def test_two_may_append_at_once(database: Database, space: Space) -> None:
    matrices = [opened(database, space) for _ in range(4)]
    for matrix in matrices:
        matrix.rows()
    first = add(database, space, 300)
    threads = [threading.Thread(target=matrix.rows) for matrix in matrices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(holds(matrix.rows(), first) for matrix in matrices)
    assert holds(opened(database, space).rows(), first)


def test_without_a_place_to_write_it_stays_in_memory(
    database: Database, space: Space, caplog: pytest.LogCaptureFixture
) -> None:
    first = add(database, space, 30)
    (database.path.parent / "matrix").write_bytes(b"a file where the folder should be")
    matrix = opened(database, space)
    assert holds(matrix.rows(), first)
    assert "held in memory" in caplog.text
    later = add(database, space, 3, seed=1)
    assert holds(matrix.rows(), first, later)


def test_rows_of_pictures(database: Database, space: Space) -> None:
    add(database, space, 30)
    rows = opened(database, space).rows()
    wanted = rows.image_ids[[3, 4, 29]]
    asked = np.array([*wanted, 999_999])
    assert sorted(rows.of_images(asked)) == [3, 4, 29]
    assert len(rows.of_images(np.empty(0, np.int64))) == 0
    assert rows.before(int(rows.vector_ids[9])) == 10
    assert rows.before(0) == 0
