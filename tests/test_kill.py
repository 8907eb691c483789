"""kill -9 at random moments: the next run does what is missing, and nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from library import spaces, vectors
from library.database import Database
from library.index import VectorIndex
from tests.pictures import fill

ROOT = Path(__file__).parent.parent
PICTURES = 150


def start(folder: Path, data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crawler", str(folder), "--data", str(data), "--json"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def finish(folder: Path, data: Path) -> None:
    process = start(folder, data)
    process.communicate(timeout=120)
    assert process.returncode == 0


def content(data: Path) -> dict[bytes, tuple[object, ...]]:
    """What a library holds, by path: size, mtime, content hash, metadata."""
    connection = sqlite3.connect(data / "library.sqlite")
    try:
        found = connection.execute(
            """SELECT path, files.size, mtime_ns, missing_since, failure, content_hash, width,
            height, format, frames, byte_size, colour FROM files
            LEFT JOIN images ON images.id = image_id"""
        ).fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
    return {row[0]: row[1:] for row in found}


def vectors_of(data: Path) -> dict[bytes, vectors.Vectors]:
    """The vectors by content hash; there must be one a picture."""
    connection = sqlite3.connect(data / "library.sqlite")
    try:
        found = connection.execute(
            "SELECT content_hash, vector FROM images LEFT JOIN vectors ON image_id = images.id"
        ).fetchall()
    finally:
        connection.close()
    by_hash = {row[0]: np.frombuffer(row[1], np.float32) for row in found}
    assert len(by_hash) == len(found)
    return by_hash


def assert_same(data: Path, reference: Path) -> None:
    assert content(data) == content(reference)
    found, expected = vectors_of(data), vectors_of(reference)
    assert found.keys() == expected.keys()
    for content_hash, vector in expected.items():
        # The last bits depend on the batch that a picture happened to be in.
        np.testing.assert_allclose(found[content_hash], vector, atol=1e-5)


def assert_index_holds_all(data: Path) -> None:
    database = Database(data / "library.sqlite")
    try:
        (space,) = spaces.spaces(database.connection)
        index = VectorIndex(data, database, space, "a test")
        try:
            rows = vectors.after(database.connection, space, 0, PICTURES)
            assert not index.was_damaged
            assert index.count() == len(rows.ids) == PICTURES
            for content_hash, vector in zip(rows.content_hashes, rows.vectors, strict=True):
                ((found, score),) = index.query(vector, 1)
                assert found == content_hash
                assert score == pytest.approx(1, abs=1e-4)
        finally:
            index.close()
    finally:
        database.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "photos"
    fill(folder, PICTURES)
    (folder / "broken.jpg").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def reference(folder: Path) -> tuple[Path, float]:
    """An uninterrupted library of the folder, and how many seconds it took."""
    data = folder.parent / "reference"
    started = time.monotonic()
    finish(folder, data)
    return data, time.monotonic() - started


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_random_and_started_again_it_ends_the_same(
    seed: int, folder: Path, reference: tuple[Path, float], tmp_path: Path
) -> None:
    expected, seconds = reference
    rng = random.Random(seed)
    for _ in range(3):
        process = start(folder, tmp_path)
        try:
            process.wait(timeout=rng.uniform(0.1, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(folder, tmp_path)
    assert_same(tmp_path, expected)
    assert_index_holds_all(tmp_path)


@pytest.mark.parametrize("what", ["read", "index"])
def test_killed_in_a_stage_it_ends_the_same(
    what: str, folder: Path, reference: tuple[Path, float], tmp_path: Path
) -> None:
    """The stage is seen from outside, in the database, so the kill falls where it should."""
    done = "SELECT count(*) FROM vectors"
    wanted = 40 if what == "read" else PICTURES
    process = start(folder, tmp_path)
    while process.poll() is None:
        try:
            connection = sqlite3.connect(tmp_path / "library.sqlite", timeout=5)
            (count,) = connection.execute(done).fetchone()
        except sqlite3.OperationalError:
            count = 0  # it is not made yet
        finally:
            connection.close()
        if count >= wanted:
            process.kill()
            break
        time.sleep(0.005)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    finish(folder, tmp_path)
    assert_same(tmp_path, reference[0])
    assert_index_holds_all(tmp_path)


@pytest.mark.fault("SIGTERM and Ctrl-C")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_ends_in_good_order(
    number: signal.Signals, folder: Path, reference: tuple[Path, float], tmp_path: Path
) -> None:
    process = start(folder, tmp_path)
    while not (tmp_path / "filelist.msgpack").exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b'"encoded"' in out
    assert not (tmp_path / "chroma.open").exists()
    finish(folder, tmp_path)
    assert_same(tmp_path, reference[0])
    assert os.listdir(tmp_path / "chroma")
