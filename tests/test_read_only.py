"""Originals are only ever read: by the crawl, the site, the doctor, a backup."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
import pytest

from reliability.owners import Place, ask
from tests.corpus import MAKERS
from tests.pictures import drawing, fill
from tests.program import ROOT, program
from tests.raw_files import dng
from tests.web_fixtures import wait_until

# In every Python that is started: what it does to files below a folder goes into a log.
SITECUSTOMIZE = """
import os, sys

root = os.fsencode(os.environ["KINDRED_TEST_ORIGINALS"])
log = os.open(os.environ["KINDRED_TEST_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
CHANGING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.utime",
    "os.truncate", "os.link", "os.symlink", "os.setxattr", "os.removexattr")


def is_original(path):
    return isinstance(path, (str, bytes, os.PathLike)) and os.fsencode(path).startswith(root)


def hook(event, args):
    if event == "open" and is_original(args[0]):
        changing = (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND) & args[2]
        os.write(log, b"write\\n" if changing else b"read\\n")
    elif event in CHANGING and any(map(is_original, args)):
        os.write(log, event.encode() + b"\\n")


sys.addaudithook(hook)
"""


@pytest.fixture
def originals() -> Iterator[Path]:
    """Pictures of every kind in a folder that cannot be written to, on a disk of its own if so."""
    home = Path(tempfile.mkdtemp(prefix="kindred-originals-"))
    folder = home / "photos"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and not subprocess.run(command, capture_output=True).returncode
    pillow_heif.register_heif_opener()
    for number, (extension, make) in enumerate(MAKERS.items()):
        (folder / f"picture.{extension}").write_bytes(make(drawing(number)))
    (folder / "raw.dng").write_bytes(dng(drawing(77)))
    (folder / "damaged.jpg").write_bytes(b"no picture")
    fill(folder / "below", 3, first_seed=100)
    shutil.copy2(folder / "below" / "0000.jpg", folder / "copy.jpg")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    for path in (folder, folder / "below"):
        if path.exists():
            path.chmod(0o755)
    shutil.rmtree(home)


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything of every file but when it was last read."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        info = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        found[str(path)] = (
            hashlib.sha256(content).hexdigest(),
            *(info.st_mode, info.st_size, info.st_ino, info.st_uid, info.st_gid, info.st_nlink),
            *(info.st_mtime_ns, info.st_ctime_ns),
        )
    return found


@pytest.mark.fault("originals that cannot be written")
def test_the_whole_program_leaves_originals_as_they_are_and_opens_them_for_reading_only(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(originals, tmp_path / "data")
    log = tmp_path / "opened"
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    environment = {
        **place.environment,
        "PYTHONPATH": str(tmp_path / "hook"),
        "KINDRED_TEST_ORIGINALS": str(originals),
        "KINDRED_TEST_LOG": str(log),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = state(originals)
    run("crawler", str(originals), "--data", str(place.data), "--json")
    run("crawler", "--rehash", "--retry", "--prune", "--data", str(place.data))
    read = log.read_text().count("read\n")
    assert read >= 2 * (len(MAKERS) + 5)  # each file, by both
    (place.data / "thumbnails").rename(tmp_path / "lost")  # so that originals are needed again
    with program("--data", str(place.data)) as (_, address):
        look_at_everything(address, originals)
    assert log.read_text().count("read\n") > read
    run("library", "doctor", "--mend", "--data", str(place.data))
    run("library", "backup", str(tmp_path / "copy.sqlite"), "--data", str(place.data))
    run("library", "restore", str(tmp_path / "copy.sqlite"), "--data", str(place.data))
    assert set(log.read_text().split()) == {"read"}
    assert state(originals) == before


def look_at_everything(address: str, folder: Path) -> None:
    """Ask the site for all it has of every picture."""
    hits = ask(address, "/api/v1/search?q=a%20drawing&limit=100")["hits"]
    assert len(hits) == len(MAKERS) + 4
    for hit in hits:
        for what in ("thumb", "thumb?size=256", "preview", "file", "file?download", ""):
            fetch(f"{address}/pictures/{hit['id']}/{what}".rstrip("/"))
        fetch(f"{address}/api/v1/pictures/{hit['id']}/similar")
    for page in (
        "/",
        "/search?q=a+cat",
        "/duplicates",
        "/library",
        "/library/failures",
        "/folders/1",
    ):
        fetch(address + page)
    crawl = ask(address, "/api/v1/crawls", {"folder": str(folder)})
    wait_until(lambda: ask(address, f"/api/v1/crawls/{crawl['id']}")["state"] == "finished")


def fetch(url: str) -> None:
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.status == 200
        answer.read()


def run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
