"""Search: the same answers from the index and from the exact scan, and only what is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from library import spaces
from library.database import Database
from library.keeper import IndexKeeper
from library.matrix import Matrix
from library.models import Results
from library.settings import Settings
from mlx_clip import Encoder
from search import ranker
from search.engine import Engine
from search.errors import SearchError
from search.parser import parse
from search.query import Query
from search.relevance import Relevance
from tests.conftest import CrawlFolders
from tests.crawled import forget
from tests.pictures import drawing, fill

PICTURES = 60


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the index asked, which a library of this size is not worth."""
    monkeypatch.setattr(ranker, "SCANNED", 0)


@pytest.fixture
def keeper(settings: Settings, database: Database, encoder: Encoder) -> Iterator[IndexKeeper]:
    space = spaces.space(database.connection, encoder.space, encoder.dim)
    keeper = IndexKeeper(settings.data_dir, database, space)
    yield keeper
    keeper.stop()


@pytest.fixture
def engine(database: Database, encoder: Encoder, keeper: IndexKeeper) -> Iterator[Engine]:
    space = spaces.space(database.connection, encoder.space, encoder.dim)
    matrix = Matrix(database.path.parent, database, space)
    relevance = Relevance(database, space, encoder, lambda: matrix.rows().vectors)
    yield Engine(database, encoder, space, keeper, matrix, relevance)
    relevance.close()


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
    exact = [engine.search(parse("a red circle"), 20), engine.similar(wanted, 20)]
    assert [results.source for results in exact] == ["exact", "exact"]
    start(keeper)
    indexed = [engine.search(parse("a red circle"), 20), engine.similar(wanted, 20)]
    assert [results.source for results in indexed] == ["index", "index"]
    for left, right in zip(exact, indexed, strict=True):
        assert ids(left) == ids(right)
        assert [h.score for h in left.hits] == pytest.approx(
            [h.score for h in right.hits], abs=1e-5
        )


def test_scores_are_cosine_similarities_best_first(library: Path, engine: Engine) -> None:
    results = engine.search(parse("a dog"), 10)
    scores = [hit.score or 0 for hit in results.hits]
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
    found = ids(engine.search(parse("anything"), 500))
    assert len(found) == len(set(found)) == PICTURES


def test_a_given_picture_finds_itself_first(
    library: Path, engine: Engine, database: Database
) -> None:
    results = engine.search(Query(), 3, given=drawing(11))
    assert ids(results)[0] == id_of(database, "0011.jpg")
    assert (results.hits[0].score or 0) > 0.9  # the file is a JPEG of it


@pytest.mark.parametrize("indexed", [False, True])
def test_pages_neither_repeat_nor_skip(
    library: Path, engine: Engine, keeper: IndexKeeper, indexed: bool
) -> None:
    if indexed:
        start(keeper)
    whole = ids(engine.search(parse("a dog"), PICTURES))
    pages = [ids(engine.search(parse("a dog"), 7, offset)) for offset in range(0, PICTURES, 7)]
    assert [image_id for page in pages for image_id in page] == whole
    beyond = engine.search(parse("a dog"), 7, PICTURES)
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
    gone = engine.search(parse("a dog"), 40)
    for hit in gone.hits:
        for file in database.connection.execute(
            "SELECT path FROM files WHERE image_id = ?", (hit.picture.id,)
        ):
            Path(file[0].decode()).unlink()
    crawl(library)
    if indexed:
        start(keeper)
    left = engine.search(parse("a dog"), 100)
    assert left.total == len(left.hits) == PICTURES - 40
    assert not set(ids(left)) & set(ids(gone))


def test_of_two_copies_one_may_go(
    library: Path, engine: Engine, crawl: CrawlFolders, database: Database
) -> None:
    image_id = id_of(database, "0003.jpg")
    (library / "0003.jpg").unlink()
    crawl(library)
    results = engine.search(parse("a dog"), PICTURES)
    (hit,) = (hit for hit in results.hits if hit.picture.id == image_id)
    assert hit.picture.name == "copy-of-0003.jpg"


def test_new_pictures_are_found_at_once(
    library: Path, engine: Engine, keeper: IndexKeeper, crawl: CrawlFolders, database: Database
) -> None:
    start(keeper)
    drawing(777).save(library / "new.jpg", quality=95)
    crawl(library)
    results = engine.search(Query(), 1, given=drawing(777))
    assert ids(results) == [id_of(database, "new.jpg")]


def test_blank_words_and_an_unknown_picture_find_nothing(library: Path, engine: Engine) -> None:
    assert engine.search(parse("  \n"), 10).total == 0
    assert engine.similar(999_999, 10).hits == ()


def test_an_empty_library_finds_nothing(engine: Engine) -> None:
    results = engine.search(parse("a dog"), 10)
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


@pytest.mark.parametrize("indexed", [False, True])
def test_pages_go_on_where_the_one_before_ended(
    library: Path, engine: Engine, keeper: IndexKeeper, indexed: bool
) -> None:
    if indexed:
        start(keeper)
    query = parse("a dog")
    whole = ids(engine.search(query, PICTURES))
    page = engine.search(query, 7)
    found = ids(page)
    while page.end:
        page = engine.search(query, 7, after=page.end)
        found += ids(page)
    assert found == whole


def test_what_comes_between_two_pages_neither_repeats_nor_skips(
    library: Path, engine: Engine, crawl: CrawlFolders, database: Database
) -> None:
    query = parse("a dog")
    whole = ids(engine.search(query, PICTURES))
    page = engine.search(query, 20)
    drawing(777).save(library / "new.jpg", quality=95)
    crawl(library)
    rest = ids(engine.search(query, PICTURES, after=page.end))
    assert [i for i in ids(page) + rest if i != id_of(database, "new.jpg")] == whole


@pytest.mark.parametrize(
    "text", ['a dog "000"', "a dog size:<1mp", 'a dog -"001"', "a dog type:gif"]
)
def test_a_filtered_search_is_the_same_from_index_and_exact_scan(
    library: Path, engine: Engine, keeper: IndexKeeper, text: str
) -> None:
    exact = engine.search(parse(text), 5)
    start(keeper)
    indexed = engine.search(parse(text), 5)
    assert ids(indexed) == ids(exact)
    assert indexed.total == exact.total
    everything = ids(engine.search(parse("a dog"), PICTURES))
    assert [i for i in everything if i in set(ids(exact))] == ids(exact)


def test_filters_alone_list_the_newest_first(
    library: Path, engine: Engine, database: Database
) -> None:
    page = engine.search(parse('"000"'), 4)
    assert page.total == 10  # 0000 to 0009, one of them twice
    assert [hit.score for hit in page.hits] == [None] * 4
    rest = engine.search(parse('"000"'), 40, after=page.end)
    found = ids(page) + ids(rest)
    assert found == sorted(found, reverse=True)
    assert id_of(database, "0007.jpg") in found


def test_terms_add_up(library: Path, engine: Engine, database: Database) -> None:
    one, two = id_of(database, "0007.jpg"), id_of(database, "0020.jpg")
    alone = ids(engine.search(parse(f"#{one}"), PICTURES))
    assert one not in alone
    both = ids(engine.search(parse(f"#{one} + #{two}"), PICTURES))
    assert not {one, two} & set(both)
    other = ids(engine.search(parse(f"#{two}"), PICTURES))
    assert max(alone.index(both[0]), other.index(both[0])) < PICTURES / 2
    against = ids(engine.search(parse(f"- #{one}"), PICTURES))
    assert against == alone[::-1]
    heavy = ids(engine.search(parse(f"50:#{one} + #{two}"), 10))
    assert heavy[0] == alone[0]


def test_more_and_less_like_some_move_the_list(
    library: Path, engine: Engine, database: Database
) -> None:
    query = parse("a dog")
    before = ids(engine.search(query, PICTURES))
    last, first = before[-1], before[0]
    nearer = ids(engine.search(query, PICTURES, more=[last]))
    assert nearer.index(last) < before.index(last)
    farther = ids(engine.search(query, PICTURES, less=[first]))
    assert first not in farther
    assert ids(engine.search(query, PICTURES)) == before


def test_terms_that_take_each_other_away(library: Path, engine: Engine) -> None:
    with pytest.raises(SearchError, match="leave nothing"):
        engine.search(parse("dog - dog"), 10)


def test_a_picture_that_is_not_there(library: Path, engine: Engine) -> None:
    with pytest.raises(SearchError, match="#999"):
        engine.search(parse("#999"), 10)
    with pytest.raises(SearchError, match="#999"):
        engine.search(parse("dog"), 10, more=[999])
