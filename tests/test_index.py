"""VectorIndex: a real Chroma directory that agrees with SQLite, or is made again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from library import spaces
from library.database import Database
from library.errors import IndexBusyError
from library.index import VectorIndex
from library.spaces import Space
from tests.indexes import DIM, add, content, in_chroma, opened

ROOT = Path(__file__).parent.parent


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


def test_it_takes_every_vector_once_and_gives_the_nearest(database: Database, space: Space) -> None:
    matrix = add(database, space, 1200)
    with opened(database, space) as index:
        progress: list[int] = []
        assert index.push(progress=progress.append) == 1200
        assert progress == [500, 1000, 1200]
        assert index.push() == 0
        assert (index.count(), index.missing()) == (1200, 0)
        answer = index.query(matrix[7], 10)
    scores = matrix @ matrix[7]
    best = np.argsort(-scores)[:10]
    assert [content_hash for content_hash, _ in answer] == [content(n) for n in best]
    np.testing.assert_allclose([score for _, score in answer], scores[best], atol=1e-5)


def test_opened_again_it_goes_on(database: Database, space: Space) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    add(database, space, 5, seed=1)
    with opened(database, space) as index:
        assert index.missing() == 5
        assert index.push() == 5
        assert index.count() == 25


def test_a_stopped_push_ends_after_its_batch(database: Database, space: Space) -> None:
    add(database, space, 1200)
    with opened(database, space) as index:
        assert index.push(stopped=lambda: index.missing() < 1200) == 500
        assert index.count() == 500


def test_a_batch_that_was_added_but_not_recorded_is_not_doubled(
    database: Database, space: Space
) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    with database.transaction() as connection:
        connection.execute("DELETE FROM indexed_vectors WHERE vector_id > 10")
    with opened(database, space) as index:
        assert index.push() == 10
        assert index.count() == 20


def test_spaces_do_not_mix(database: Database, space: Space) -> None:
    add(database, space, 10)
    other = spaces.space(database.connection, "test@2/p1", DIM)
    with opened(database, space) as index:
        index.push()
    with opened(database, other) as index:
        assert (index.count(), index.missing()) == (0, 0)
    with opened(database, space) as index:
        assert (index.count(), index.missing()) == (10, 0)


def test_one_process_at_a_time(database: Database, space: Space) -> None:
    with opened(database, space), pytest.raises(IndexBusyError, match="a test"):
        VectorIndex(database.path.parent, database, space, "a second")
    with opened(database, space) as index:
        assert index.count() == 0


@pytest.mark.fault("index damaged while stopped")
def test_a_deleted_directory_is_made_again(database: Database, space: Space) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    shutil.rmtree(database.path.parent / "chroma")
    with opened(database, space) as index:
        assert index.missing() == 20
        assert index.push() == 20
        assert index.count() == 20
    recorded = database.connection.execute("SELECT count(*) FROM indexed_vectors").fetchone()
    assert recorded == (20,)


@pytest.mark.fault("index damaged while stopped")
def test_a_directory_of_garbage_is_made_again(database: Database, space: Space) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    sqlite_file = database.path.parent / "chroma" / "chroma.sqlite3"
    sqlite_file.write_bytes(b"garbage" * 1000)
    with opened(database, space) as index:
        assert index.was_damaged
        assert index.push() == 20


def test_an_index_that_lost_vectors_is_made_again(database: Database, space: Space) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    in_chroma(database, lambda collection: collection.delete(ids=[content(3).hex()]))
    with opened(database, space) as index:
        index.verify()
        assert index.was_damaged
        assert index.push() == 20
        assert index.count() == 20


_HOLD = """
import sys, time
from pathlib import Path
from library import spaces
from library.database import Database
from library.index import VectorIndex
data = Path(sys.argv[1])
database = Database(data / "library.sqlite")
space = spaces.space(database.connection, "test@1/p1", 32)
index = VectorIndex(data, database, space, "a crashing test")
index.push()
print("holding", flush=True)
time.sleep(60)
"""


def hold_and_kill(data: Path) -> None:
    """Leave an index behind as a process does that is killed while it has it open."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(data)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"holding\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (data / "chroma.open").exists()


def test_after_a_crash_a_sound_index_is_kept(database: Database, space: Space) -> None:
    add(database, space, 50)
    hold_and_kill(database.path.parent)
    with opened(database, space) as index:
        assert not index.was_damaged
        assert (index.count(), index.missing()) == (50, 0)
    assert not (database.path.parent / "chroma.open").exists()


@pytest.mark.fault("index damaged while stopped")
def test_after_a_crash_a_damaged_index_is_made_again(database: Database, space: Space) -> None:
    add(database, space, 50)
    data = database.path.parent
    hold_and_kill(data)
    sqlite_file = data / "chroma" / "chroma.sqlite3"
    os.truncate(sqlite_file, sqlite_file.stat().st_size // 3)
    with opened(database, space) as index:
        assert index.was_damaged
        assert index.push() == 50
        assert index.count() == 50


def test_after_a_crash_vectors_that_do_not_find_themselves_are_noticed(
    database: Database, space: Space
) -> None:
    matrix = add(database, space, 50)
    with opened(database, space) as index:
        index.push()
    names = [content(number).hex() for number in range(50)]
    in_chroma(database, lambda collection: collection.update(ids=names, embeddings=-matrix))
    (database.path.parent / "chroma.open").write_text("a crashed test", encoding="utf-8")
    with opened(database, space) as index:
        assert index.was_damaged
        assert index.push() == 50
