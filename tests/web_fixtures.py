"""A crawled library and the site over it, as the tests of the site need them."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import waitress
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from crawler.crawl import Crawl
from library import collections, spaces, vectors
from library.database import Database
from library.settings import Settings, load_settings
from mlx_clip import Encoder
from tests.map_fixtures import put_map
from tests.pictures import fill
from web import site

SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True)
class Library:
    """A library that was crawled, and the folder of pictures that it was made from."""

    settings: Settings
    photos: Path

    def ids(self) -> dict[str, int]:
        """The number of each picture, by the name of one of its files."""
        database = Database(self.settings.database_path)
        try:
            rows = database.connection.execute("SELECT path, image_id FROM files").fetchall()
            return {os.path.basename(os.fsdecode(path)): image_id for path, image_id in rows}
        finally:
            database.close()


def crawl_folder(settings: Settings, encoder: Encoder, photos: Path) -> None:
    """Crawl a folder to the end, index and all, and let everything go again."""
    database = Database(settings.database_path)
    try:
        Crawl(settings, database, encoder).run([os.fsencode(photos)])
    finally:
        database.close()


@pytest.fixture(scope="session")
def shared_library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Library:
    """All samples, crawled once. Read it, do not change it."""
    base = tmp_path_factory.mktemp("samples")
    shutil.copytree(SAMPLES, base / "photos")
    settings = settings_of(base / "data", "24")
    crawl_folder(settings, encoder, base / "photos")
    map_samples(settings, encoder, base / "photos")
    return Library(settings, base / "photos")


def map_samples(settings: Settings, encoder: Encoder, photos: Path) -> None:
    """The folders as a collection, and a map on which every picture is in one of two clusters."""
    database = Database(settings.database_path)
    try:
        with database.transaction() as connection:
            collections.remember(connection, "samples", "folder", os.fsencode(photos))
            collections.refresh(connection)
        space = spaces.space(database.connection, encoder.space, encoder.dim)
        rows = vectors.after(database.connection, space, 0, 1_000)
        labels = [image_id % 2 for image_id in rows.image_ids]
        put_map(database, space, rows.image_ids, labels, rows.vectors)
    finally:
        database.close()


@pytest.fixture
def own_library(tmp_path: Path, encoder: Encoder) -> Library:
    """Eight drawings, for tests that change the files, the library or both."""
    fill(tmp_path / "photos", 8)
    settings = settings_of(tmp_path / "data", "5")
    crawl_folder(settings, encoder, tmp_path / "photos")
    return Library(settings, tmp_path / "photos")


def settings_of(data: Path, results: str) -> Settings:
    return load_settings(
        {"DATA_DIR": str(data), "NUM_IMAGE_RESULTS": results, "CLIP_MODEL": "starter"}
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Flask]:
    """The site over a library; its index is opened only where a test starts the keeper."""
    app = create_app(settings)
    try:
        yield app
    finally:
        site.of(app).close()


@pytest.fixture
def client(shared_library: Library) -> Iterator[FlaskClient]:
    """A client of the site over the samples."""
    with opened(shared_library.settings) as app:
        yield app.test_client()


@pytest.fixture
def empty_client(settings: Settings) -> Iterator[FlaskClient]:
    """A client of the site over a library without any picture."""
    with opened(settings) as app:
        yield app.test_client()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The site on a free port of a real server; gives its address."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    ended = threading.Event()

    def run() -> None:
        # Not server.run, which can only be ended by closing what it is looking at.
        while not ended.is_set():
            server.asyncore.loop(timeout=0.05, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        ended.set()
        thread.join(10)
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Look until a condition holds; fails the test when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
