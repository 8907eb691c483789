"""Search: the same answers from the index and from the exact scan, and only what is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from library import vectors
from library.database import Database
from library.keeper import IndexKeeper
from library.models import Results
from library.settings import Settings
from mlx_clip import Encoder
from search.engine import Engine
from tests.conftest import CrawlFolders
from tests.crawled import forget
from tests.pictures import drawing, fill

PICTURES = 60


@pytest.fixture
def keeper(settings: Settings, database: Database, encoder: Encoder) -> Iterator[IndexKeeper]:
    space = vectors.space(database.connection, encoder.space, encoder.dim)
    keeper = IndexKeeper(settings.data_dir, database, space)
    yield keeper
    keeper.stop()


@pytest.fixture
def engine(database: Database, encoder: Encoder, keeper: IndexKeeper) -> Engine:
    space = vectors.space(database.connection, encoder.space, encoder.dim)
    return Engine(database, encoder, space, keeper)


@pytest.fixture
def library(crawl: CrawlFolders, photos_dir: Path) -> Path:
    """PICTURES drawings, one of them under two names."""
    fill(photos_dir, PICTURES)
    (photos_dir / "copy-of-0003.jpg").write_bytes((photos_dir / "0003.jpg").read_bytes())
    crawl(photos_dir)
    return photos_dir


def start(keeper: IndexKeeper) -> None:
    keeper.start()
    deadline = time.monotonic() + 30
    while keeper.state != "current":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ids(results: Results) -> list[int]:
    return [hit.picture.id for hit in results.hits]


def id_of(database: Database, name: str) -> int:
    (image_id,) = database.connection.execute(
        "SELECT image_id FROM files WHERE CAST(path AS TEXT) LIKE ?", (f"%/{name}",)
    ).fetchone()
    return int(image_id)


def test_index_and_exact_scan_give_the_same(
    library: Path, engine: Engine, keeper: IndexKeeper, database: Database
) -> None:
    wanted = id_of(database, "0007.jpg")
    exact = [engine.text("a red circle", 20), engine.similar(wanted, 20)]
    assert [results.source for results in exact] == ["exact", "exact"]
    start(keeper)
    indexed = [engine.text("a red circle", 20), engine.similar(wanted, 20)]
    assert [results.source for results in indexed] == ["index", "index"]
    for left, right in zip(exact, indexed, strict=True):
        assert ids(left) == ids(right)
        assert [h.score for h in left.hits] == pytest.approx(
            [h.score for h in right.hits], abs=1e-5
        )


def test_scores_are_cosine_similarities_best_first(library: Path, engine: Engine) -> None:
    results = engine.text("a dog", 10)
    scores = [hit.score for hit in results.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)
    assert results.total == PICTURES


@pytest.mark.parametrize("indexed", [False, True])
def test_a_picture_is_not_similar_to_itself(
    library: Path, engine: Engine, keeper: IndexKeeper, database: Database, indexed: bool
) -> None:
    if indexed:
        start(keeper)
    image_id = id_of(database, "0003.jpg")
    results = engine.similar(image_id, PICTURES)
    assert results.total == len(results.hits) == PICTURES - 1
    assert image_id not in ids(results)


def test_copies_are_one_hit(library: Path, engine: Engine) -> None:
    found = ids(engine.text("anything", 500))
    assert len(found) == len(set(found)) == PICTURES


def test_a_given_picture_finds_itself_first(
    library: Path, engine: Engine, database: Database
) -> None:
    results = engine.picture(drawing(11), 3)
    assert ids(results)[0] == id_of(database, "0011.jpg")
    assert results.hits[0].score > 0.9  # the file is a JPEG of it


@pytest.mark.parametrize("indexed", [False, True])
def test_pages_neither_repeat_nor_skip(
    library: Path, engine: Engine, keeper: IndexKeeper, indexed: bool
) -> None:
    if indexed:
        start(keeper)
    whole = ids(engine.text("a dog", PICTURES))
    pages = [ids(engine.text("a dog", 7, offset)) for offset in range(0, PICTURES, 7)]
    assert [image_id for page in pages for image_id in page] == whole
    beyond = engine.text("a dog", 7, PICTURES)
    assert (ids(beyond), beyond.total) == ([], PICTURES)


@pytest.mark.parametrize("indexed", [False, True])
def test_pictures_whose_files_are_gone_are_no_hits(
    library: Path,
    engine: Engine,
    keeper: IndexKeeper,
    crawl: CrawlFolders,
    database: Database,
    indexed: bool,
) -> None:
    gone = engine.text("a dog", 40)
    for hit in gone.hits:
        for file in database.connection.execute(
            "SELECT path FROM files WHERE image_id = ?", (hit.picture.id,)
        ):
            Path(file[0].decode()).unlink()
    crawl(library)
    if indexed:
        start(keeper)
    left = engine.text("a dog", 100)
    assert left.total == len(left.hits) == PICTURES - 40
    assert not set(ids(left)) & set(ids(gone))


def test_of_two_copies_one_may_go(
    library: Path, engine: Engine, crawl: CrawlFolders, database: Database
) -> None:
    image_id = id_of(database, "0003.jpg")
    (library / "0003.jpg").unlink()
    crawl(library)
    results = engine.text("a dog", PICTURES)
    (hit,) = (hit for hit in results.hits if hit.picture.id == image_id)
    assert hit.picture.name == "copy-of-0003.jpg"


def test_new_pictures_are_found_at_once(
    library: Path, engine: Engine, keeper: IndexKeeper, crawl: CrawlFolders, database: Database
) -> None:
    start(keeper)
    drawing(777).save(library / "new.jpg", quality=95)
    crawl(library)
    results = engine.picture(drawing(777), 1)
    assert ids(results) == [id_of(database, "new.jpg")]


def test_blank_words_and_an_unknown_picture_find_nothing(library: Path, engine: Engine) -> None:
    assert engine.text("  \n", 10).total == 0
    assert engine.similar(999_999, 10).hits == ()


def test_an_empty_library_finds_nothing(engine: Engine) -> None:
    results = engine.text("a dog", 10)
    assert (results.hits, results.total) == ((), 0)


def test_a_forgotten_picture_is_never_shown(
    library: Path, engine: Engine, keeper: IndexKeeper, database: Database
) -> None:
    """Not from the index, which still holds it, nor from the exact scan, which has read it."""
    start(keeper)
    asked, known = id_of(database, "0007.jpg"), id_of(database, "0008.jpg")
    for offset in (0, 1):
        assert known in ids(engine.similar(asked, PICTURES, offset))
    gone = forget(database, "0008.jpg")
    for offset in (0, 1):
        results = engine.similar(asked, PICTURES, offset)
        assert gone not in ids(results)
        assert len(results.hits) == PICTURES - 2 - offset
