"""The index in shards: one graph at a time to write, all of them to ask; and what is forgotten."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from library import indexed, spaces, vectors
from library.database import Database
from library.spaces import Space
from tests.indexes import (
    DIM,
    add,
    all_held,
    content,
    forget,
    graphs_in_memory,
    held,
    in_chroma,
    opened,
)

ROOT = Path(__file__).parent.parent


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


def test_all_shards_together_answer_as_one(database: Database, space: Space) -> None:
    matrix = add(database, space, 450)
    with opened(database, space, shard=100) as index:
        assert index.push() == 450
        assert (index.count(), index.missing(), index.newest()) == (450, 0, 450)
        answer = index.query(matrix[7], 20)
    assert list(map(len, held(database))) == [100, 100, 100, 99, 51]  # ids begin with 1
    scores = matrix @ matrix[7]
    best = np.argsort(-scores)[:20]
    assert [content_hash for content_hash, _ in answer] == [content(n) for n in best]
    np.testing.assert_allclose([score for _, score in answer], scores[best], atol=1e-5)


def test_pushing_holds_one_graph_in_memory_and_asking_all(database: Database, space: Space) -> None:
    matrix = add(database, space, 1000)
    graphs: list[int] = []
    with opened(database, space, shard=250) as index:
        index.push(progress=lambda pushed: graphs.append(graphs_in_memory(database)))
        assert max(graphs) == 1
        index.query(matrix[0], 1)
        assert graphs_in_memory(database) == 5


def test_an_index_of_the_former_kind_is_filled_again(database: Database, space: Space) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    in_chroma(database, lambda c: c.modify(name="space-of-old", metadata={"space": space.key}))
    with opened(database, space) as index:
        assert (index.count(), index.missing(), index.newest()) == (0, 20, 0)
        assert index.push() == 20
    assert list(map(len, held(database))) == [20]


def test_a_shard_with_more_than_it_should_hold_is_made_again(
    database: Database, space: Space
) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    stray = np.ones((1, DIM), np.float32)
    in_chroma(database, lambda c: c.add(ids=[content(0, seed=9).hex()], embeddings=stray))
    with opened(database, space) as index:
        index.verify()
        assert index.was_damaged
        assert index.push() == 20
    assert all_held(database) == [content(n) for n in range(20)]


def test_what_is_forgotten_leaves_the_index(database: Database, space: Space) -> None:
    matrix = add(database, space, 250)
    with opened(database, space, shard=100) as index:
        index.push()
        forget(database, content(3), content(4), content(204))
        assert index.missing() == 3
        assert index.push() == 3
        assert (index.count(), index.missing(), index.push()) == (247, 0, 0)
        assert index.query(matrix[3], 1)[0][0] != content(3)
        index.verify()
        assert not index.was_damaged
    with opened(database, space, shard=100) as index:
        assert (index.count(), index.missing()) == (247, 0)


@pytest.mark.parametrize("shard", [100, 10_000])
def test_what_comes_back_is_there_once(database: Database, space: Space, shard: int) -> None:
    """Its new vector lies in another shard, or in the same."""
    matrix = add(database, space, 150)
    with opened(database, space, shard) as index:
        index.push()
        forget(database, content(3), content(4))
        add(database, space, 150)
        index.push()
        assert (index.count(), index.missing()) == (150, 0)
        assert index.query(matrix[3], 1)[0][0] == content(3)
    assert all_held(database) == [content(n) for n in range(150)]


def test_what_was_recorded_again_before_it_was_taken_out_is_added_again(
    database: Database, space: Space
) -> None:
    """As when it is forgotten and found again while a push chooses what to add."""
    matrix = add(database, space, 50)
    with opened(database, space) as index:
        index.push()
        with database.transaction() as connection:
            connection.execute(
                """INSERT INTO unwanted_vectors
                SELECT DISTINCT collection, ? FROM indexed_vectors""",
                (content(3),),
            )
        assert index.push() == 2
        assert (index.count(), index.missing()) == (50, 0)
        assert index.query(matrix[3], 1)[0][0] == content(3)


def test_what_is_forgotten_while_it_is_pushed_is_taken_out(
    database: Database, space: Space
) -> None:
    add(database, space, 50)
    with opened(database, space) as index:
        with database.transaction() as connection:
            # Chroma takes what this transaction removes; recording it has to wait for its end.
            vectors.forget(connection, [4])
            push = threading.Thread(target=index.push)
            push.start()
            time.sleep(1)
        push.join()
        assert index.push() == 0
        assert (index.count(), index.missing()) == (49, 0)
    assert content(3) not in held(database)[0]


def test_forgetting_empties_the_collections_of_every_space(
    database: Database, space: Space
) -> None:
    other = spaces.space(database.connection, "test@2/p1", DIM)
    for each in (space, other):
        add(database, each, 20)
        with opened(database, each) as index:
            index.push()
    forget(database, content(3))
    with opened(database, space) as index:
        assert index.push() == 2
    assert list(map(len, held(database))) == [19, 19]
    with opened(database, other) as index:
        index.verify()
        assert (index.missing(), index.was_damaged) == (0, False)


def test_notes_of_an_index_that_was_deleted_hold_up_nothing(
    database: Database, space: Space
) -> None:
    add(database, space, 20)
    with opened(database, space) as index:
        index.push()
    forget(database, content(3))
    with opened(database, space) as index:
        index.discard()
    with opened(database, space) as index:
        assert index.push() == 19
        assert index.count() == 19


_PUSH = """
import sys
from pathlib import Path
from library import spaces
from library.database import Database
from tests.indexes import DIM, opened
database = Database(Path(sys.argv[1]))
with opened(database, spaces.space(database.connection, "test@1/p1", DIM), shard=400) as index:
    print("pushing", flush=True)
    index.push()
"""


def test_killed_at_random_while_it_pushes_it_ends_complete(
    database: Database, space: Space
) -> None:
    rng = random.Random(0)
    add(database, space, 2000)
    for number in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", _PUSH, str(database.path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        forget(database, *(content(n) for n in range(number, 2000, 100)))
    with opened(database, space, shard=400) as index:
        index.push()
        index.verify()
        index.push()
    assert all_held(database) == [content(n) for n in range(2000) if n % 100 not in range(2)]
    assert indexed.count_unwanted(database.connection) == 0


def test_who_asks_has_one_graph_and_moves_into_it_what_lies_in_shards(
    database: Database, space: Space
) -> None:
    matrix = add(database, space, 250)
    with opened(database, space, shard=100) as index:
        index.push()
    forget(database, content(3))
    later = add(database, space, 5, seed=1)
    with opened(database, space, shard=100, asked=True) as index:
        assert index.answers_to() == 0
        assert index.missing() == 249 + 5
        index.push()
        assert (index.count(), index.missing(), index.push()) == (254, 0, 0)
        assert index.answers_to() == index.newest() == 255
        assert graphs_in_memory(database) == 1
        assert index.query(later[2], 1)[0][0] == content(2, seed=1)
        assert index.query(matrix[204], 1)[0][0] == content(204)
    assert list(map(len, held(database))) == [254]


def test_a_move_that_was_cut_off_goes_on(database: Database, space: Space) -> None:
    add(database, space, 1_200)
    with opened(database, space) as index:
        index.push()
    with opened(database, space, asked=True) as index:
        moved: list[int] = []
        index.push(stopped=lambda: bool(moved), progress=moved.append)
        assert moved == [500]
        assert (index.answers_to(), index.missing()) == (0, 700)
    with opened(database, space, asked=True) as index:
        assert not index.was_damaged
        assert index.push() == 700
    assert list(map(len, held(database))) == [1_200]


def test_who_only_fills_it_leaves_the_graph_alone(database: Database, space: Space) -> None:
    matrix = add(database, space, 50)
    with opened(database, space, asked=True) as index:
        index.push()
    forget(database, content(3))
    add(database, space, 20, seed=1)
    with opened(database, space) as index:
        assert index.push() == 20
        assert graphs_in_memory(database) == 1
    assert list(map(len, held(database))) == [50, 20]
    with opened(database, space, asked=True) as index:
        index.push()
        assert index.query(matrix[3], 1)[0][0] != content(3)
        assert (index.count(), index.missing()) == (69, 0)


def test_a_graph_that_loses_the_way_to_its_vectors_is_made_again(
    database: Database, space: Space
) -> None:
    """As HNSW graphs may when much is taken out of them; here the vectors are moved instead."""
    matrix = add(database, space, 1_300)
    with opened(database, space, asked=True) as index:
        index.push()
    names = [content(n).hex() for n in range(1_300)]
    in_chroma(database, lambda c: c.update(ids=names, embeddings=-matrix))
    forget(database, *(content(n) for n in range(1_000)))
    with opened(database, space, asked=True) as index:
        index.push()
        assert index.was_damaged
        assert (index.count(), index.missing()) == (300, 0)
        assert index.query(matrix[1_200], 1)[0][0] == content(1_200)
