"""The run itself: cancel, continue, progress, and who else is at work."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from filelock import FileLock

from crawler.crawl import Crawl
from library import runs
from library.crawl_lock import CrawlAtWork, crawl_at_work
from library.database import Database
from library.errors import CrawlBusyError
from library.index import VectorIndex
from library.models import Progress
from library.settings import Settings
from mlx_clip import Encoder
from tests.conftest import CrawlFolders
from tests.crawled import rows, space, touch_later
from tests.pictures import drawing, fill


def test_a_cancelled_crawl_keeps_what_it_did_and_the_next_goes_on(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    fill(photos_dir, 60)
    seen: list[Progress] = []
    first = Crawl(
        settings,
        database,
        encoder,
        report=seen.append,
        cancelled=lambda: any(p.stage == "read" and p.done >= 16 for p in seen),
    ).run([os.fsencode(photos_dir)])
    assert first.interrupted
    assert 16 <= first.encoded < 60
    drawing(500).save(photos_dir / "later.jpg")
    second = crawl(photos_dir)
    assert second.continued
    assert second.encoded == 60 - first.encoded
    third = crawl(photos_dir)
    assert not third.continued
    assert third.encoded == 1


def test_a_list_is_applied_once_however_often_its_run_is_continued(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    paths = fill(photos_dir, 40)
    root = [os.fsencode(photos_dir)]
    seen: list[Progress] = []

    def listed() -> bool:
        run = runs.cut_off(database.connection)
        return run is not None and run.listed

    def half_read() -> bool:
        return any(p.stage == "read" and p.done >= 16 for p in seen)

    Crawl(settings, database, encoder, cancelled=listed).run(root)
    drawing(900).save(paths[0])  # is read as it is now, not as the list has it
    touch_later(paths[0])
    Crawl(settings, database, encoder, seen.append, half_read).run(root)
    assert rows(database)["0000.jpg"] is not None
    left = sum(image_id is None for image_id in rows(database).values())
    assert crawl(photos_dir).skipped == 40 - left


def test_progress_goes_from_nothing_to_everything(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 20)
    (photos_dir / "broken.jpg").write_bytes(b"x")
    seen: list[Progress] = []
    Crawl(settings, database, encoder, seen.append).run([os.fsencode(photos_dir)])
    last = {progress.stage: progress for progress in seen}
    assert list(last) == ["scan", "read", "index"]
    assert last["scan"].done == 21
    assert (last["read"].done, last["read"].total, last["read"].failed) == (21, 21, 1)
    assert (last["index"].done, last["index"].total) == (20, 20)
    assert last["read"].seconds_left == 0


def test_two_crawls_at_once_are_refused(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 2)
    root = [os.fsencode(photos_dir)]
    refused: list[str] = []

    def crawl_inside(progress: Progress) -> None:
        try:
            Crawl(settings, database, encoder).run(root)
        except CrawlBusyError as error:
            refused.append(str(error))

    Crawl(settings, database, encoder, crawl_inside).run(root)
    assert refused
    assert str(settings.data_dir) in refused[0]


def test_others_see_the_crawl_and_its_progress(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 2)
    told: list[Progress] = []
    seen: list[CrawlAtWork | None] = []

    def look(progress: Progress) -> None:
        told.append(progress)
        seen.append(crawl_at_work(settings.data_dir))

    Crawl(settings, database, encoder, look).run([os.fsencode(photos_dir)])
    assert {crawl.process for crawl in seen if crawl} == {os.getpid()}
    assert {crawl.progress.stage for crawl in seen if crawl and crawl.progress} == {
        "scan",
        "read",
        "index",
    }
    assert seen[0] == CrawlAtWork(os.getpid(), runs.newest(database.connection), told[0])
    assert crawl_at_work(settings.data_dir) is None


def test_a_crawl_that_was_killed_is_not_at_work(
    photos_dir: Path, settings: Settings, database: Database
) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    state = {"process": killed.pid, "progress": None}
    (settings.data_dir / "crawl.open").write_text(json.dumps(state), encoding="ascii")
    assert crawl_at_work(settings.data_dir) is None


def test_beside_another_owner_of_the_index_it_fills_the_database(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    index = VectorIndex(settings.data_dir, database, space(database, encoder), "the site")
    drawing(50).save(photos_dir / "new.jpg")
    beside = crawl(photos_dir)
    assert (beside.encoded, beside.indexed) == (1, 3)
    assert beside.index_note and "the site" in beside.index_note
    assert index.push() == 1
    index.close()
    assert crawl(photos_dir).indexed == 4


def test_with_nothing_to_do_the_index_is_not_even_opened(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    # Held, but not yet opened: there is no mark, as while its owner is starting.
    with FileLock(settings.data_dir / "chroma.lock"):
        assert crawl(photos_dir).index_note is None
