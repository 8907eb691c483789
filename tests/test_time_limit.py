"""Decodes that take too long, or never end: the file is given up, and nothing else is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from library import photos, time_limit
from library.database import Database
from library.errors import PhotoTooSlowError
from tests import hostile
from tests.conftest import CrawlFolders
from tests.pictures import fill
from tests.web_fixtures import empty_client

__all__ = ["empty_client"]

ROOT = Path(__file__).parent.parent
# A decoder that never returns to Python, and does not hold its lock, as none of those in use does.
_NEVER_ENDS = """
import ctypes
from library import time_limit
from library.errors import PhotoTooSlowError
try:
    time_limit.within(0.1, ctypes.CDLL(None).pause)
except PhotoTooSlowError:
    print("given up")
"""


@pytest.fixture
def slow() -> bytes:
    """A small, valid file whose decode takes seconds: each scan is another pass over it."""
    return hostile.jpeg_of_passes(90, 6000)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "SECONDS", 2.0)
    monkeypatch.setattr(photos, "_MEGAPIXELS_A_SECOND", 10**6)


def test_what_ends_in_time_is_given() -> None:
    assert time_limit.within(60, lambda: 41) == 41


def test_what_is_raised_is_raised() -> None:
    with pytest.raises(TimeoutError, match="its own"):
        time_limit.within(60, _raise)


def _raise() -> None:
    raise TimeoutError("its own")


def test_what_takes_longer_is_given_up() -> None:
    ended = threading.Event()
    with pytest.raises(PhotoTooSlowError, match="too long"):
        time_limit.within(0.1, ended.wait)
    ended.set()


def test_threads_are_used_again() -> None:
    before = threading.active_count()
    for _ in range(100):
        time_limit.within(60, threading.get_ident)
    assert threading.active_count() <= before + 1


def test_a_decode_that_never_ends_does_not_keep_the_program_from_ending() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NEVER_ENDS], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "given up\n")


@pytest.mark.usefixtures("impatient")
def test_a_crawl_goes_on_without_the_picture(
    crawl: CrawlFolders, database: Database, photos_dir: Path, slow: bytes
) -> None:
    fill(photos_dir, 5)
    (photos_dir / "0002 slow.jpg").write_bytes(slow)
    summary = crawl(photos_dir)
    assert (summary.encoded, summary.failed) == (5, 1)
    row = database.connection.execute(
        "SELECT path, failure, failure_kind FROM files WHERE failure IS NOT NULL"
    ).fetchone()
    assert os.path.basename(row[0]) == b"0002 slow.jpg"
    assert row[1:] == ("takes too long: it was not decoded after 2 seconds", "undecodable")
    assert crawl(photos_dir).failed == 1  # it is known, and not tried again


@pytest.mark.usefixtures("impatient")
def test_an_upload_is_answered(empty_client: FlaskClient, slow: bytes) -> None:
    answer = empty_client.post("/search", data={"image": (io.BytesIO(slow), "a.jpg")})
    assert (answer.status_code, "takes too long" in answer.text) == (400, True)


def test_the_limit_grows_with_the_picture() -> None:
    small = photos.read_header(io.BytesIO(_png(100)), 512, 64)
    large = photos.read_header(io.BytesIO(_png(4000)), 512, 64)
    assert (
        photos.SECONDS
        <= photos.seconds_for(small.megapixels)
        < photos.seconds_for(large.megapixels)
    )


def _png(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (side, side)).save(out, "PNG")
    return out.getvalue()
