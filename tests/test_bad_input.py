"""One crawl over everything that is wrong with files: each ends as it should, none stops it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from library.database import Database
from tests import corpus
from tests.corpus import INDEXED, Case
from tests.pictures import drawing

ROOT = Path(__file__).parent.parent
MEGAPIXELS = 64
# Far more than the crawl takes; a hang is what it is for.
_SECONDS = 300
# Root reads what nobody may read, unless it gives up the right to (capabilities 1 and 2). The
# program that is measured is the child of a small one: see bench/measure.py.
_WITHOUT_ROOTS_RIGHTS = """
import ctypes, json, resource, subprocess, sys
if sys.platform == "linux":
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
done = subprocess.run([sys.executable, *sys.argv[1:]])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
sys.exit(done.returncode)
"""


@dataclass(frozen=True, slots=True)
class Crawled:
    """What the crawl left: each listed file's failure (None: it was indexed), by name."""

    cases: dict[str, Case]
    failures: dict[str, tuple[str, str] | None]
    summary: dict[str, int]
    errors: str
    peak_bytes: int


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    top = tmp_path_factory.mktemp("bad")
    photos = top / "photos"
    photos.mkdir()
    cases = {case.name: case for case in corpus.cases()}
    for case in cases.values():
        (photos / case.name).write_bytes(case.content)
    with socket.socket(socket.AF_UNIX) as listener:
        _make_odd_entries(photos, listener)
        done = _run("-m", "crawler", photos, "--data", top / "data", "--json")
    assert done.returncode == 0, done.stderr
    *errors, peak = done.stderr.splitlines()
    return Crawled(
        cases, _rows(top / "data"), json.loads(done.stdout), "\n".join(errors), int(peak)
    )


def _make_odd_entries(photos: Path, listener: socket.socket) -> None:
    """What lies in folders under a picture's name and is none, or cannot be read."""
    (photos / "folder.jpg").mkdir()
    drawing(400).save(photos / "folder.jpg" / "inside.jpg")
    os.mkfifo(photos / "fifo.jpg")
    listener.bind(os.path.relpath(photos / "socket.jpg"))
    for device in ("zero", "null", "random"):
        (photos / f"{device}.jpg").symlink_to(f"/dev/{device}")
    (photos / "nowhere.jpg").symlink_to(photos / "gone")
    (photos / "circle.jpg").symlink_to(photos / "circle.jpg")
    drawing(401).save(photos / "secret.jpg")
    (photos / "secret.jpg").chmod(0)


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_ROOTS_RIGHTS, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "MAX_IMAGE_MEGAPIXELS": str(MEGAPIXELS)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )


def _rows(data: Path) -> dict[str, tuple[str, str] | None]:
    database = Database(data / "library.sqlite")
    found = database.connection.execute(
        "SELECT path, image_id, failure, failure_kind FROM files"
    ).fetchall()
    database.close()
    rows = {}
    for path, image_id, failure, kind in found:
        assert (image_id is None) == (failure is not None)
        rows[os.path.basename(os.fsdecode(path))] = (failure, kind) if failure else None
    return rows


def test_each_file_ends_as_it_should(crawled: Crawled) -> None:
    wrong = {
        name: crawled.failures[name]
        for name, case in crawled.cases.items()
        if not _is_expected(case, crawled.failures[name])
    }
    assert wrong == {}


def _is_expected(case: Case, found: tuple[str, str] | None) -> bool:
    if found is None:
        return re.fullmatch(case.expected, INDEXED) is not None
    reason, kind = found
    said = re.search(case.expected, reason) and reason.isprintable()
    return case.expected != INDEXED and bool(said) and kind == "undecodable"


def test_what_is_no_file_is_not_listed(crawled: Crawled) -> None:
    assert set(crawled.failures) == {*crawled.cases, "inside.jpg", "secret.jpg"}
    assert crawled.failures["inside.jpg"] is None


def test_a_file_that_may_not_be_read_says_so(crawled: Crawled, tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_bytes(b"")
    probe.chmod(0)
    if _run("-c", f"open({str(probe)!r})").returncode == 0:
        pytest.skip("whoever runs the tests reads every file, and cannot give that up")
    assert crawled.failures["secret.jpg"] == ("cannot be read: Permission denied", "unreadable")


def test_the_summary_counts_them(crawled: Crawled) -> None:
    failed = sum(failure is not None for failure in crawled.failures.values())
    assert crawled.summary["files"] == len(crawled.failures)
    assert crawled.summary["failed"] == failed
    assert crawled.summary["encoded"] == len(crawled.failures) - failed
    assert "Traceback" not in crawled.errors


def test_none_of_them_takes_the_memory_that_it_asks_for(crawled: Crawled) -> None:
    # Beside the decodes: the program, the model and the index, some 450 MB.
    assert crawled.peak_bytes < MEGAPIXELS * 4_000_000 + 800_000_000
