"""Fixtures of the whole suite: a real database, the real starter model, real picture files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before anything reads them: no test asks the real Hub, uses what somebody downloaded, or a model
# that somebody chose, or fills a server of theirs. Programs that tests start inherit this.
os.environ |= {
    "CLIP_MODEL": "starter",
    "CLIP_RUNTIME": "auto",
    "CLIP_PRECISION": "auto",
    "CHROMA_URL": "",
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_HOME": tempfile.mkdtemp(prefix="kindred-tests-hub-"),
}

from crawler.crawl import Crawl, Options, Summary
from crawler.roots import outermost
from library import files
from library.database import Database
from library.settings import Settings, load_settings
from mlx_clip import Encoder, load_encoder
from tests.web_fixtures import shared_library

__all__ = ["shared_library"]  # once for all: each module that imported it would crawl it anew

CrawlFolders = Callable[..., Summary]


def pytest_unconfigure() -> None:
    """Remove what the environment above made."""
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test injects stands in its report, where reliability/faults.py counts it."""
    for item in items:
        for mark in item.iter_markers("fault"):
            item.user_properties.append(("fault", mark.args[0]))


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder("starter")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"DATA_DIR": str(tmp_path / "data"), "CLIP_MODEL": "starter"})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_path)
    yield database
    database.close()


@pytest.fixture
def photos_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def crawl(settings: Settings, database: Database, encoder: Encoder) -> CrawlFolders:
    """Crawl some folders into the library of this test."""

    def run(*folders: Path, options: Options | None = None) -> Summary:
        known = files.roots(database.connection)
        roots = outermost((os.fsencode(folder) for folder in folders), known)
        return Crawl(settings, database, encoder).run(roots, options or Options())

    return run
