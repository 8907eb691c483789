"""Relevance: which answers are matches, and which are weaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from library import images, spaces, vectors
from library.database import Database
from library.models import Metadata
from library.spaces import Space
from library.vectors import Vectors
from mlx_clip import Encoder, load_encoder
from search.relevance import Relevance, picture_line, words_line
from search.unrelated import TO_CALIBRATE, TO_MEASURE
from tests.crawled import vector_of
from tests.web_fixtures import SAMPLES, wait_until


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A CLIP of a few thousand weights, for what has nothing to do with pictures."""
    folder = Path(__file__).parent / "checkpoints" / "clip"
    return load_encoder(str(folder), runtime="onnx", cache=tmp_path_factory.mktemp("models"))


@pytest.fixture
def space(database: Database, tiny: Encoder) -> Space:
    return spaces.space(database.connection, tiny.space, tiny.dim)


def grow(database: Database, space: Space, count: int) -> None:
    """Add pictures with random vectors until there are so many."""
    rng = np.random.default_rng(count)
    with database.transaction() as connection:
        for number in range(count):
            image_id = images.add(
                connection, b"%016d" % number, Metadata(1, 1, "PNG", 1, 1, "#000000")
            )
            vector = rng.normal(size=space.dim).astype(np.float32)
            vectors.add(connection, space, image_id, vector / np.linalg.norm(vector))


def rows_of(database: Database, space: Space) -> Callable[[], Vectors]:
    return lambda: vectors.after(database.connection, space, 0, 100_000).vectors


@contextmanager
def relevance(database: Database, space: Space, encoder: Encoder) -> Iterator[Relevance]:
    opened = Relevance(database, space, encoder, rows_of(database, space))
    try:
        yield opened
    finally:
        opened.close()


def test_what_is_there_is_a_match_and_what_is_not_is_none(encoder: Encoder) -> None:
    paths = sorted(SAMPLES.glob("animals/*.jpg"))[:24] + sorted(SAMPLES.glob("food/*.jpg"))[:8]
    rows = np.stack([vector_of(path, encoder) for path in paths])
    line = words_line(encoder.encode_texts(TO_CALIBRATE), rows)
    nonsense = (encoder.encode_texts(TO_MEASURE) @ rows.T).max(1)
    assert (nonsense < line).sum() >= 35
    names = [path.stem.replace("-", " ") for path in paths]
    right = (encoder.encode_texts(names) * rows).sum(1)
    assert (right >= line).sum() >= 0.8 * len(names)


def test_no_search_waits_for_a_line(database: Database, space: Space, tiny: Encoder) -> None:
    grow(database, space, 60)
    with relevance(database, space, tiny) as lines:
        assert lines.line("words") is None
        wait_until(lambda: lines.line("words") is not None)
        words, picture = lines.line("words"), lines.line("picture")
    rows = rows_of(database, space)()
    assert words is not None
    assert -1 < words < 1
    assert picture == picture_line(rows)


def test_a_line_is_kept_until_the_library_has_grown_by_a_quarter(
    database: Database, space: Space, tiny: Encoder
) -> None:
    grow(database, space, 40)
    assert (first := found(database, space, tiny)) is not None
    grow(database, space, 49)
    assert found(database, space, tiny) == first
    grow(database, space, 50)
    assert found(database, space, tiny) != first


def found(database: Database, space: Space, encoder: Encoder) -> float | None:
    """The line for pictures as a program finds it that has just been started."""
    with relevance(database, space, encoder) as lines:
        lines.refresh()
        return lines.line("picture")


def test_each_space_has_its_own(database: Database, space: Space, tiny: Encoder) -> None:
    grow(database, space, 40)
    other = spaces.space(database.connection, "another", tiny.dim)
    grow(database, other, 41)
    first = found(database, space, tiny)
    assert found(database, other, tiny) != first
    assert found(database, space, tiny) == first


def test_a_small_library_has_a_line_for_words_alone(
    database: Database, space: Space, tiny: Encoder
) -> None:
    with relevance(database, space, tiny) as lines:
        lines.refresh()
        assert (lines.line("words"), lines.line("picture")) == (None, None)
        grow(database, space, 1)
        lines.refresh()
        assert lines.line("words") is not None
        assert lines.line("picture") is None


def test_in_chunks_and_at_once_give_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, rows = rng.normal(size=(50, 8)) / 9, rng.normal(size=(1000, 8)) / 9
    at_once = words_line(queries.astype(np.float32), rows.astype(np.float32))
    monkeypatch.setattr("search.relevance._CHUNK", 7)
    assert words_line(queries.astype(np.float32), rows.astype(np.float32)) == at_once


def test_the_queries_that_are_measured_with_are_no_others() -> None:
    assert len(set(TO_CALIBRATE)) == len(set(TO_MEASURE)) == 50
    assert not set(TO_CALIBRATE) & set(TO_MEASURE)
