"""The index on a Chroma server: a real one, which is killed, hangs, and loses what it held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from crawler.__main__ import main as crawl
from library import chroma_server, indexed, spaces
from library.checks import index
from library.checks.finding import Patient
from library.database import Database
from library.errors import IndexUnreachableError
from library.index import VectorIndex
from library.keeper import IndexKeeper
from library.models import IndexState
from library.settings import Settings, load_settings
from library.spaces import Space
from library.status import IndexStatus, look
from mlx_clip import Encoder
from tests.chroma_servers import ChromaServer
from tests.indexes import DIM, add, content, forget
from tests.indexes import opened as embedded
from tests.pictures import fill
from tests.web_fixtures import crawl_folder, opened, wait_until
from web import site

UNREACHABLE = (
    "The Chroma server that CHROMA_URL names does not answer; answers are complete all the same."
)


@pytest.fixture(scope="module")
def only_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path_factory.mktemp("chroma-server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(only_server: ChromaServer) -> Iterator[ChromaServer]:
    """An empty one that runs; it runs again afterwards, whatever the test does."""
    yield only_server
    only_server.start()
    only_server.empty()


@pytest.fixture
def settings(tmp_path: Path, server: ChromaServer) -> Settings:
    data = str(tmp_path / "data")
    return load_settings({"DATA_DIR": data, "CLIP_MODEL": "starter", "CHROMA_URL": server.url})


@pytest.fixture
def space(database: Database) -> Space:
    return spaces.space(database.connection, "test@1/p1", DIM)


@contextmanager
def index_of(database: Database, space: Space, server: ChromaServer) -> Iterator[VectorIndex]:
    index = VectorIndex(database.path.parent, database, space, "a test", server=server.url)
    try:
        yield index
    finally:
        index.close()


@pytest.fixture
def keeper(database: Database, space: Space, server: ChromaServer) -> Iterator[IndexKeeper]:
    keeper = IndexKeeper(database.path.parent, database, space, server.url)
    yield keeper
    keeper.stop()


def is_(keeper: IndexKeeper, state: IndexState) -> Callable[[], bool]:
    return lambda: keeper.state == state


def test_it_answers_as_an_exact_scan_and_follows_what_is_added_and_forgotten(
    database: Database, space: Space, server: ChromaServer
) -> None:
    matrix = add(database, space, 700)
    with index_of(database, space, server) as index:
        assert index.push() == 700
        for query in matrix[:5]:
            exact = np.argsort(-(matrix @ query))[:10]
            answer = index.query(query, 10)
            assert [found for found, _ in answer] == [content(int(n)) for n in exact]
            assert [score for _, score in answer] == pytest.approx(
                list(np.sort(-(matrix @ query))[:10] * -1), abs=1e-5
            )
        forget(database, content(3))
        new = add(database, space, 1, seed=1)
        assert index.push() == 2
        assert index.query(matrix[3], 1)[0][0] != content(3)
        assert index.query(new[0], 1)[0][0] == content(0, seed=1)
    with index_of(database, space, server) as index:
        assert (index.was_damaged, index.missing(), index.count()) == (False, 0, 700)


def test_two_libraries_and_a_stranger_stay_apart_on_one_server(
    database: Database, space: Space, server: ChromaServer, tmp_path: Path
) -> None:
    server.add_stranger()
    other = Database(tmp_path / "other" / "library.sqlite")
    matrix = add(database, space, 20)
    other_space = spaces.space(other.connection, space.key, DIM)
    theirs = add(other, other_space, 30, seed=1)
    with index_of(database, space, server) as mine, index_of(other, other_space, server) as second:
        mine.push()
        second.push()
        assert (mine.count(), second.count()) == (20, 30)
        assert {found for found, _ in mine.query(theirs[0], 50)} == set(map(content, range(20)))
        second.push()
    assert sorted(server.counts().values()) == [1, 20, 30]
    VectorIndex(database.path.parent, database, space, "a test", server=server.url).discard()
    assert sorted(server.counts().values()) == [1, 30]
    with index_of(database, space, server) as mine:
        assert mine.push() == 20
        assert mine.query(matrix[0], 1)[0][0] == content(0)
    other.close()


def test_what_the_server_lost_is_found_at_opening_and_pushed_again(
    database: Database, space: Space, server: ChromaServer
) -> None:
    matrix = add(database, space, 30)
    with index_of(database, space, server) as index:
        index.push()
    server.lose(content(7).hex())
    with index_of(database, space, server) as index:
        assert index.was_damaged
        assert index.push() == 30
        assert index.query(matrix[7], 1)[0][0] == content(7)


def test_the_directory_of_the_time_before_goes_and_all_is_pushed(
    database: Database, space: Space, server: ChromaServer
) -> None:
    add(database, space, 30)
    with embedded(database, space) as index:
        index.push()
    with index_of(database, space, server) as index:
        assert not (database.path.parent / "chroma").exists()
        assert index.push() == 30
    with embedded(database, space) as index:  # and back
        assert index.push() == 30


def test_a_server_that_hangs_holds_up_neither_searches_nor_the_end(
    keeper: IndexKeeper,
    database: Database,
    space: Space,
    server: ChromaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chroma_server, "WORK_SECONDS", 1.0)
    matrix = add(database, space, 30)
    keeper.start()
    wait_until(is_(keeper, "current"))
    held = indexed.collections(database.connection)
    with server.hanging():
        assert keeper.query(matrix[0], 1) is None
        assert is_(keeper, "unreachable")()
        with pytest.raises(IndexUnreachableError):
            VectorIndex(_another(database), database, space, "a crawl", server=server.url)
    wait_until(is_(keeper, "current"))
    assert indexed.collections(database.connection) == held  # nothing was pushed again
    with server.hanging():
        add(database, space, 600, seed=1)
        wait_until(is_(keeper, "unreachable"))  # the push has ended
        keeper.stop()
        assert is_(keeper, "closed")()


def _another(database: Database) -> Path:
    """A folder whose lock nobody holds."""
    folder = database.path.parent / "unlocked"
    folder.mkdir()
    return folder


def test_a_server_that_was_emptied_is_filled_again(
    keeper: IndexKeeper, database: Database, space: Space, server: ChromaServer
) -> None:
    matrix = add(database, space, 30)
    keeper.start()
    wait_until(is_(keeper, "current"))
    server.empty()
    assert keeper.query(matrix[0], 1) is None
    wait_until(lambda: keeper.query(matrix[0], 1) is not None)
    assert list(server.counts().values()) == [30]


def test_the_site_goes_on_without_the_server_and_with_it_again(
    settings: Settings,
    server: ChromaServer,
    encoder: Encoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.ranker.SCANNED", 0)
    fill(tmp_path / "photos", 8)
    crawl_folder(settings, encoder, tmp_path / "photos")
    assert list(server.counts().values()) == [8]
    with opened(settings) as app:
        client = app.test_client()
        exact = found(client)
        keeper = keeper_of(app)
        keeper.start()
        wait_until(is_(keeper, "current"))
        assert (source(client), found(client)) == ("index", exact)
        server.kill()
        assert (source(client), found(client)) == ("exact", exact)
        assert UNREACHABLE in client.get("/").text
        index = client.get("/api/v1/status").get_json()["index"]
        assert (index["state"], index["agrees"]) == ("unreachable", False)
        server.start()
        wait_until(is_(keeper, "current"))
        assert UNREACHABLE not in client.get("/").text
        assert (source(client), found(client)) == ("index", exact)


def keeper_of(app: Flask) -> IndexKeeper:
    return site.of(app).keeper


def source(client: FlaskClient) -> str:
    return str(client.get("/api/v1/search?q=a+red+circle").get_json()["source"])


def found(client: FlaskClient) -> list[int]:
    hits = client.get("/api/v1/search?q=a+red+circle").get_json()["hits"]
    return [hit["id"] for hit in hits]


def test_crawl_status_and_doctor_say_so_when_the_server_is_down(
    settings: Settings,
    server: ChromaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(tmp_path / "photos", 3)
    command = [str(tmp_path / "photos"), "--data", str(settings.data_dir)]
    assert crawl(command) == 0
    monkeypatch.setenv("CHROMA_URL", server.url)
    server.kill()
    capsys.readouterr()
    assert crawl(command) == 0  # with nothing new
    said = capsys.readouterr().out
    assert "Not indexed here: the Chroma server at 127.0.0.1" in said
    assert "the vectors are safe in the database" in said
    assert doctor(settings).startswith("wrong: the Chroma server at 127.0.0.1")
    assert "Removed nothing from the index" in mended(settings)
    server.start()
    assert doctor(settings) == "wrong: the index is empty"
    assert crawl(command) == 0
    assert "Not indexed" not in capsys.readouterr().out
    assert doctor(settings).startswith("ok: 3 vectors; 3 of them asked for find themselves")
    assert index_status(settings) == IndexStatus(True, 3, None, True, True)
    assert "Removed the index from its server" in mended(settings)
    assert server.counts() == {}


def doctor(settings: Settings) -> str:
    with closing(Database(settings.database_path)) as database:
        found = index.answers(Patient(settings, database))
    return f"{found.state}: {found.text}"


def mended(settings: Settings) -> str:
    with closing(Database(settings.database_path)) as database:
        return index.throw_away(Patient(settings, database))


def index_status(settings: Settings) -> IndexStatus | None:
    with closing(Database(settings.database_path)) as database:
        return look(settings, database).index
