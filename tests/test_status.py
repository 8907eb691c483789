"""`python -m library status|failures`: what a library says of itself."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import large
from library import counts, files, meta, runs, spaces
from library.__main__ import main
from library.crawl_lock import CrawlLock
from library.database import PAGE_BYTES, Database
from library.index_files import IndexFiles
from library.models import Counts, Progress, RootCounts
from library.settings import Settings
from library.status import index_status
from tests.conftest import CrawlFolders
from tests.pictures import fill

Say = Callable[..., str]


@pytest.fixture
def say(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Say:
    """The output of a command on this test's library."""

    def run(*arguments: str) -> str:
        assert main([*arguments, "--data", str(settings.data_dir)]) == 0
        return capsys.readouterr().out

    return run


def test_status_tells_what_a_library_holds(
    settings: Settings,
    database: Database,
    photos_dir: Path,
    crawl: CrawlFolders,
    say: Say,
) -> None:
    assert "none yet: python -m crawler FOLDER" in say("status")
    first, *_ = fill(photos_dir, 3)
    (photos_dir / "broken.jpg").write_bytes(b"x")
    crawl(photos_dir)
    first.unlink()
    crawl(photos_dir)
    connection = database.connection
    (used,) = spaces.spaces(connection)
    meta.set_model(connection, "starter", used.key)
    connection.execute("INSERT INTO excludes VALUES (CAST('*/cache' AS BLOB))")
    connection.execute("INSERT INTO spaces VALUES (9, 'former@1/p1', 4)")
    connection.execute("INSERT INTO vectors (space_id, image_id, vector) VALUES (9, 1, x'00')")

    told = say("status")
    assert f"folders  {photos_dir}: 3, 1 missing, 1 could not be read" in told
    assert "left out  */cache" in told
    assert "pictures  2, of which 2 can be searched for" in told
    assert "model  starter (vectors: starter-lite2-minilm@" in told
    assert "other models  former@1/p1: 1 vectors, 0 MB" in told
    assert "index  holds 3 of 3 vectors\n" in told
    assert "3 files, 0 pictures encoded, 1 files could not be read" in told
    assert "at work" not in told

    answer = json.loads(say("status", "--json"))
    assert (answer["files"], answer["missing"], answer["failed"]) == (3, 1, 1)
    assert answer["roots"][0]["path"] == str(photos_dir)
    thumbnails = settings.thumbnail_dir.glob("*/*")
    assert answer["disk"]["thumbnails"] == sum(path.stat().st_size for path in thumbnails)
    assert answer["disk"]["database"] >= settings.database_path.stat().st_size

    failures = say("failures")
    assert failures.startswith(f"{photos_dir}/broken.jpg: ")
    assert failures.splitlines()[1].startswith("Files that could not be read: 1 (1 x ")


def test_status_tells_of_a_crawl_that_is_at_work_or_was_cut_off(
    settings: Settings, database: Database, say: Say
) -> None:
    runs.start(database.connection, 1_700_000_000.0, [])
    assert "cut off: python -m crawler goes on with it" in say("status")
    with CrawlLock(settings.data_dir) as lock:
        lock.show(Progress("read", 20, 100, 0, 0, 5.0, 16.0))
        told = say("status")
        assert f"Reading: 20 of 100, 5.0/s, 16 s left (process {os.getpid()})" in told
        assert "cut off" not in told


def test_status_tells_who_holds_the_index_and_of_a_crash(settings: Settings) -> None:
    data = settings.data_dir
    (data / "chroma").mkdir(parents=True)
    (data / "chroma" / "chroma.sqlite3").touch()
    IndexFiles(data).set_closed()
    assert index_status(settings, 5).closed_well
    (data / "chroma.open").write_text(f"the site, process {os.getpid()}")
    assert index_status(settings, 5).owner == f"the site, process {os.getpid()}"
    (data / "chroma.open").write_text("the site, process 999999999")
    crashed = index_status(settings, 5)
    assert (crashed.owner, crashed.closed_well, crashed.holds) == (None, False, 5)


def test_failures_are_grouped_by_reason_at_the_end(database: Database, say: Say) -> None:
    assert say("failures") == "Every file could be read.\n"
    database.connection.execute("INSERT INTO folders (id, path) VALUES (1, x'2f')")
    for number in range(9):
        database.connection.execute(
            """INSERT INTO files (path, folder_id, size, mtime_ns, failure, failure_kind)
            VALUES (?, 1, 1, 1, ?, 'undecodable')""",
            (b"/%d" % number, "empty" if number < 3 else f"reason {number}"),
        )
    lines = say("failures").splitlines()
    assert lines[0] == "/0: empty"
    assert len(lines) == 10
    assert lines[-1].startswith("Files that could not be read: 9 (3 x empty; 1 x reason 3; ")
    assert "; and others). python -m crawler --retry" in lines[-1]


def test_counts_of_a_library_with_everything_in_it(database: Database) -> None:
    large.build(database.path, 3_000, 4)
    connection = database.connection
    space = meta.space(connection)
    assert space
    assert space.key == "large@1/p1"
    expected = Counts(
        files=2_997,
        pictures=2_994,
        encoded=2_991,
        failed=3,
        missing=3,
        vectors=2_997,
        indexed=2_997,
    )
    assert counts.count(connection, space) == expected
    # A copy of a missing file's picture makes that present, one of another changes nothing.
    connection.execute("UPDATE files SET image_id = 3 WHERE id = 10")
    assert counts.pictures(connection) == 2_994
    half = b"%s/0001" % large.ROOT
    assert counts.count_root(connection, half) == RootCounts(half, 999, 1, 1)
    assert len(files.failures(connection)) == 3


def test_counts_are_answered_from_indexes_and_never_read_the_rows(database: Database) -> None:
    large.build(database.path, 1_000, 4)
    connection = database.connection
    space = meta.space(connection)
    assert space
    queries: list[str] = []
    connection.set_trace_callback(queries.append)
    counts.count(connection, space)
    counts.count_root(connection, large.ROOT)
    connection.set_trace_callback(None)
    assert len(queries) >= 8
    # Of the few that are missing or failed the rows may be read; one table is an index by itself.
    answers = ("COVERING INDEX", "files_missing", "files_failed", "indexed_vectors", "subquery")
    for query in queries:
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query}"):
            assert "SUBQUERY" in step or any(answer in step for answer in answers), (query, step)


def test_new_libraries_have_large_pages_and_old_ones_keep_theirs(tmp_path: Path) -> None:
    Database(tmp_path / "new.sqlite").close()
    old = sqlite3.connect(tmp_path / "old.sqlite")
    old.execute("PRAGMA page_size = 4096")
    old.execute("VACUUM")
    old.close()
    Database(tmp_path / "old.sqlite").close()
    sizes = []
    for name in ("new", "old"):
        connection = sqlite3.connect(tmp_path / f"{name}.sqlite")
        sizes += connection.execute("PRAGMA page_size").fetchone()
        connection.close()
    assert sizes == [PAGE_BYTES, 4096]
