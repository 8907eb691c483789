"""The importer of CivitAI's models, against a server that speaks its API and misbehaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from crawler.importers.civitai import Imported, Importer
from crawler.importers.civitai_api import Asked
from crawler.importers.polite import PoliteClient, UnreachableError, retry_after
from library import collections, item_pictures
from library.database import Database
from library.settings import Settings
from tests.civitai_server import Civitai, jpeg, serving
from tests.conftest import CrawlFolders
from tests.program import ROOT

ALL = Asked()


@pytest.fixture
def civitai() -> Iterator[Civitai]:
    with serving(Civitai()) as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def run(
    civitai: Civitai, database: Database, tmp_path: Path, waits: list[float]
) -> Callable[..., Imported]:
    """Import; what the client would have waited for is in `waits` instead."""

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    def run(asked: Asked = ALL, models: int = 9, per_model: int = 9) -> Imported:
        with PoliteClient(civitai.site, wait, key="secret", interval=0) as client:
            importer = Importer(database, client, tmp_path / "in", 500)
            return importer.run(asked, models, per_model)

    return run


def items(database: Database) -> list[collections.Listed]:
    (collection,) = collections.collections(database.connection)
    return collections.items(database.connection, collection.id)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "in").rglob("*") if path.is_file())


Run = Callable[..., Imported]


def test_models_become_items_and_their_pictures_pictures(
    run: Run, database: Database, tmp_path: Path, crawl: CrawlFolders
) -> None:
    done = run()
    assert (done.items, done.fetched, done.damaged, done.later) == (3, 9, 0, 0)
    assert files(tmp_path) == [f"{n}.jpg" for n in (100, 101, 102, 200, 201, 202, 300, 301, 302)]
    first = items(database)[0]
    assert first.about == collections.About(
        "Style 1",
        "v2",
        "somebody",
        "SDXL 1.0",
        first.about.page_url,
        ("style", "tag 1"),
        ("word1",),
        {"downloadCount": 100, "rating": 4.5},
    )
    assert (first.about.page_url or "").endswith("/models/1?modelVersionId=10")
    prompts = [one.prompt for one in item_pictures.of_item(database.connection, first.id)]
    assert prompts == [None, "a drawing, number 101", None]
    assert first.pictures == 0
    crawl(tmp_path / "in")
    assert [item.pictures for item in items(database)] == [3, 3, 3]
    assert len(collections.images_of(database.connection, first.id)) == 3


def test_so_many_models_and_pictures_as_were_asked_for(run: Run, civitai: Civitai) -> None:
    done = run(models=2, per_model=1)
    assert (done.items, done.fetched) == (2, 2)
    assert run(Asked(base_model="SD 1.5")).items == 1
    assert set(civitai.fetched()) == {100, 200, 201, 202}


def test_nothing_is_fetched_twice(run: Run, civitai: Civitai) -> None:
    run()
    again = run()
    assert (again.fetched, again.known) == (0, 9)
    assert set(civitai.fetched().values()) == {1}


def test_a_picture_of_two_models_is_fetched_once_and_belongs_to_both(
    run: Run, civitai: Civitai, database: Database, tmp_path: Path, crawl: CrawlFolders
) -> None:
    civitai.pictures[20] = [200, 100]
    civitai.contents[300] = jpeg(101)  # the same content by another number
    done = run()
    assert civitai.fetched()[100] == 1
    assert "300.jpg" not in files(tmp_path)
    assert (done.fetched, done.known) == (6, 2)
    crawl(tmp_path / "in")
    assert [item.pictures for item in items(database)] == [3, 2, 3]


def test_the_site_says_how_long_to_wait(run: Run, civitai: Civitai, waits: list[float]) -> None:
    civitai.trouble["/api/v1/models"] = ["wait 7"]
    civitai.trouble["/pictures/100.jpeg"] = ["500", "503"]
    assert run().fetched == 9
    assert 7.0 in waits
    longer = [seconds for seconds in waits if 0 < seconds < 7]
    assert len(longer) == 2
    assert 0.5 <= longer[0] <= 1.0 <= longer[1] <= 2.0


def test_a_date_to_wait_for_is_understood() -> None:
    soon = datetime.now(timezone.utc) + timedelta(seconds=30)
    assert 25 < (retry_after({"Retry-After": format_datetime(soon, usegmt=True)}) or 0) <= 30
    assert retry_after({"Retry-After": "9" * 40}) == 600
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_a_body_that_is_cut_off_is_asked_for_again(run: Run, civitai: Civitai) -> None:
    civitai.trouble["/pictures/101.jpeg"] = ["cut off"]
    civitai.trouble["/api/v1/images"] = ["cut off", "html"]
    done = run()
    assert (done.fetched, done.damaged) == (9, 0)


@pytest.mark.parametrize("kind", ["html", "truncated"])
def test_a_damaged_picture_is_fetched_once_more_and_then_recorded(
    run: Run, civitai: Civitai, database: Database, tmp_path: Path, kind: str
) -> None:
    civitai.trouble["/pictures/100.jpeg"] = [kind]
    civitai.trouble["/pictures/101.jpeg"] = [kind, kind, kind]
    done = run()
    assert (done.fetched, done.damaged) == (8, 1)
    assert "100.jpg" in files(tmp_path)
    assert "101.jpg" not in files(tmp_path)
    damaged = item_pictures.find(database.connection, "101")
    assert damaged is not None
    assert damaged.failure
    assert damaged.content_hash is None
    run()
    assert civitai.fetched()[101] == 2


def test_a_picture_that_is_gone_is_recorded(run: Run, civitai: Civitai) -> None:
    civitai.trouble["/pictures/100.jpeg"] = ["404"]
    assert run().damaged == 1
    assert civitai.fetched()[100] == 1


def test_what_does_not_come_now_comes_next_time(run: Run, civitai: Civitai) -> None:
    civitai.trouble["/pictures/100.jpeg"] = ["500"] * 6
    done = run()
    assert (done.fetched, done.later, done.damaged) == (8, 1, 0)
    again = run()
    assert (again.fetched, again.later) == (1, 0)


@pytest.mark.parametrize("redirects", [True, False])
def test_the_key_is_for_the_site_alone(run: Run, civitai: Civitai, redirects: bool) -> None:
    civitai.redirects = redirects
    with serving(Civitai()) as host:
        host.site = host.site.replace("127.0.0.1", "localhost")
        civitai.host = host.site
        assert run().fetched == 9
        assert len(host.headers) == 9
        assert not any("Authorization" in headers for _, headers in host.headers)
    sent = {path: headers.get("Authorization") for path, headers in civitai.headers}
    assert sent["/api/v1/models"] == "Bearer secret"


def test_only_safe_pictures_unless_asked(run: Run, civitai: Civitai) -> None:
    civitai.unsafe = {100, 201}
    civitai.models[2]["nsfw"] = True
    assert run().fetched == 4
    assert not {100, 201, 300} & set(civitai.fetched())
    # What was asked for in full is not listed again for less, so more is asked for.
    assert run(Asked(unsafe=True), per_model=10).fetched == 5


def test_a_site_that_is_down_says_so_and_what_is_there_stays(
    run: Run, civitai: Civitai, tmp_path: Path
) -> None:
    run(models=1)
    civitai.trouble["/api/v1/models"] = ["500"] * 20
    with pytest.raises(UnreachableError, match="gives no answer"):
        run()
    assert files(tmp_path) == ["100.jpg", "101.jpg", "102.jpg"]


def test_answers_that_make_no_sense_are_passed_over(run: Run, civitai: Civitai) -> None:
    civitai.models[0] = {"id": "one", "modelVersions": "none"}
    civitai.models[1] = {**civitai.models[1], "modelVersions": []}
    civitai.models[2] |= {"creator": None, "tags": [{"name": "a"}, 3, None], "stats": []}
    assert run().items == 1


def test_killed_anywhere_it_goes_on(
    civitai: Civitai, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """Real kills: no picture is fetched twice, and none of its temporary files is a picture."""
    arguments = ["civitai", "--site", civitai.site, "--data", str(settings.data_dir)]
    command = [
        sys.executable,
        "-m",
        "crawler.importers",
        *arguments,
        "--into",
        str(tmp_path / "in"),
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    for wanted in (2, 5):
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE
        ) as process:
            end = time.monotonic() + 60
            while sum(civitai.fetched().values()) < wanted and process.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(files(tmp_path)) == 9
    # The one in hand at each kill may have been on its way.
    assert sum(civitai.fetched().values()) <= 9 + 2
    assert sum(len(item_pictures.of_item(database.connection, i.id)) for i in items(database)) == 9
