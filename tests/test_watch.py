"""`--watch`, as a process: what happens in a folder is in the library within seconds."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from crawler.changes import SETTLING_SECONDS
from tests.pictures import drawing, fill
from tests.web_fixtures import wait_until

ROOT = Path(__file__).parent.parent


class Watching:
    """`python -m crawler FOLDER --watch`, its lines, and what is in its library."""

    def __init__(self, folder: Path, data: Path) -> None:
        command = [sys.executable, "-m", "crawler", str(folder), "--data", str(data), "--watch"]
        self.lines: list[str] = []
        self._database = data / "library.sqlite"
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        wait_until(lambda: any("in the library" in line for line in self.lines))

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    def present(self) -> dict[str, int | None]:
        """The files that are there, by their paths' ends, and the picture in each."""
        connection = sqlite3.connect(self._database, timeout=30)
        try:
            rows = connection.execute(
                "SELECT path, image_id FROM files WHERE missing_since IS NULL AND failure IS NULL"
            ).fetchall()
        finally:
            connection.close()
        return {os.fsdecode(path).split("/photos/")[1]: image_id for path, image_id in rows}

    def until(self, *names: str) -> None:
        """Wait until just these files are in the library, each of them read."""
        wait_until(lambda: self.present().keys() == set(names) and all(self.present().values()))

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(30)
        self._reader.join()
        return status


def test_more_folders_than_the_system_watches_are_said(photos_dir: Path) -> None:
    for number in range(5):
        (photos_dir / str(number)).mkdir()
    script = (
        "import os, sys, threading; from crawler.events import events; "
        "next(events([os.fsencode(sys.argv[1])], threading.Event(), print))"
    )
    limited = 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", limited, sys.executable, script, str(photos_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "/proc/" in done.stderr:
        pytest.skip("the limit cannot be lowered here")
    assert "crawled every 30 seconds instead" in done.stdout, done.stderr
    assert "fs.inotify.max_user_watches" in done.stdout


@pytest.fixture
def watching(photos_dir: Path, tmp_path: Path) -> Iterator[Watching]:
    fill(photos_dir, 2)
    found = Watching(photos_dir, tmp_path / "data")
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.end(signal.SIGKILL)


def test_it_follows_whatever_happens_in_a_folder(
    watching: Watching, photos_dir: Path, tmp_path: Path
) -> None:
    drawing(10).save(photos_dir / "lands.jpg")
    drawing(11).save(photos_dir / ".hidden.jpg")
    (photos_dir / "notes.txt").touch()
    watching.until("0000.jpg", "0001.jpg", "lands.jpg")
    number = watching.present()["lands.jpg"]

    (photos_dir / "lands.jpg").rename(photos_dir / "renamed.jpg")
    (photos_dir / "0001.jpg").unlink()
    watching.until("0000.jpg", "renamed.jpg")
    assert watching.present()["renamed.jpg"] == number

    fill(tmp_path / "aside" / "deep" / "er", 2, first_seed=20)
    (tmp_path / "aside").rename(photos_dir / "moved in")
    inside = {f"moved in/deep/er/000{n}.jpg" for n in range(2)}
    watching.until("0000.jpg", "renamed.jpg", *inside)
    (photos_dir / "moved in" / "deep").rename(tmp_path / "moved out")
    watching.until("0000.jpg", "renamed.jpg")

    with open(os.fsencode(photos_dir) + b"/\xff not UTF-8.jpg", "wb") as out:
        drawing(30).save(out, "JPEG")
    os.symlink(tmp_path / "moved out", photos_dir / "link")
    watching.until(
        "0000.jpg",
        "renamed.jpg",
        os.fsdecode(b"\xff not UTF-8.jpg"),
        "link/er/0000.jpg",
        "link/er/0001.jpg",
    )
    assert watching.end(signal.SIGTERM) == 0
    said = "\n".join(watching.lines)
    assert "1 new picture" in watching.lines
    assert "2 files gone" in watching.lines
    assert "Traceback" not in said


def test_a_half_written_file_is_waited_for_and_holds_up_no_other(
    watching: Watching, photos_dir: Path
) -> None:
    whole = (photos_dir / "0000.jpg").read_bytes()
    with (photos_dir / "slow.jpg").open("wb") as out:
        for number in range(8):
            out.write(bytes(1000))
            out.flush()
            if number == 0:
                drawing(40).save(photos_dir / "quick.jpg")
            time.sleep(SETTLING_SECONDS / 2)
        assert "quick.jpg" in watching.present()
        assert "slow.jpg" not in watching.present()
        out.seek(0)
        out.truncate()
        out.write(whole)
    watching.until("0000.jpg", "0001.jpg", "quick.jpg", "slow.jpg")
    assert not any("cannot be read" in line for line in watching.lines)
    assert watching.end(signal.SIGINT) == 0


def test_a_disk_that_is_unplugged_loses_nothing_and_is_followed_when_it_is_back(
    watching: Watching, photos_dir: Path, tmp_path: Path
) -> None:
    photos_dir.rename(tmp_path / "unplugged")
    wait_until(lambda: any(line.startswith("No pictures in") for line in watching.lines))
    assert watching.present().keys() == {"0000.jpg", "0001.jpg"}
    drawing(50).save(tmp_path / "unplugged" / "meanwhile.jpg")
    (tmp_path / "unplugged").rename(photos_dir)
    watching.until("0000.jpg", "0001.jpg", "meanwhile.jpg")
    drawing(51).save(photos_dir / "after.jpg")
    watching.until("0000.jpg", "0001.jpg", "meanwhile.jpg", "after.jpg")


def test_it_waits_while_another_crawl_is_at_work(
    watching: Watching, photos_dir: Path, tmp_path: Path
) -> None:
    with FileLock(tmp_path / "data" / "crawl.lock"):
        drawing(70).save(photos_dir / "later.jpg")
        wait_until(lambda: any("Another crawl is at work" in line for line in watching.lines))
        assert "later.jpg" not in watching.present()
    watching.until("0000.jpg", "0001.jpg", "later.jpg")


def test_killed_it_leaves_a_library_that_the_next_crawl_completes(
    watching: Watching, photos_dir: Path, tmp_path: Path
) -> None:
    drawing(60).save(photos_dir / "new.jpg")
    time.sleep(SETTLING_SECONDS)
    watching.end(signal.SIGKILL)
    drawing(61).save(photos_dir / "newer.jpg")
    again = Watching(photos_dir, tmp_path / "data")
    again.until("0000.jpg", "0001.jpg", "new.jpg", "newer.jpg")
    assert again.end(signal.SIGTERM) == 0
