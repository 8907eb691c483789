"""A site at work: `python app.py` in whose process one crawl follows another."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.measure import ROOT
from reliability.owners import ask
from tests.pictures import drawing
from tests.program import program

_A_CRAWL = 200
"""Files that each crawl finds new."""
_CRAWLS = 5
"""After so many the same pictures come again, as a library that grows needs more memory."""
_LOOK_SECONDS = 0.5
LARGE = "large.bmp"
_LARGE_SIZE = (3000, 3500)


@dataclass
class AtWork:
    """Where it is, its process, and what its crawls came to so far."""

    address: str
    process: psutil.Process
    crawled: int = 0
    errors: list[str] = field(default_factory=list)

    def megabytes(self) -> float:
        """Its resident memory, a megabyte being 1,000,000 bytes."""
        return float(self.process.memory_info().rss / 1e6)

    def files(self) -> int:
        """The file descriptors that it has open."""
        return int(self.process.num_fds())


@contextmanager
def site_at_work(work: Path) -> Iterator[AtWork]:
    """Serve a library made anew below `work`: the samples, a large file, and drawings."""
    shutil.rmtree(work, ignore_errors=True)
    photos = work / "home" / "photos"
    shutil.copytree(ROOT / "samples", photos)
    drawing(0, _LARGE_SIZE).save(photos / LARGE)
    environment = {"HOME": str(work / "home"), "CLIP_MODEL": "starter", "CHROMA_URL": ""}
    with program("--data", str(work / "data"), **environment) as (process, address):
        site = AtWork(address, psutil.Process(process.pid))
        ended = threading.Event()
        _crawl(site, photos, ended)
        crawls = threading.Thread(target=_crawl_on, args=(site, photos, ended))
        crawls.start()
        try:
            yield site
        finally:
            ended.set()
            crawls.join()
        if process.poll() is not None:
            site.errors.append(f"the site ended with {process.returncode}")
    shutil.rmtree(work)


def _crawl_on(site: AtWork, photos: Path, ended: threading.Event) -> None:
    """One crawl after the other: other drawings each time, and those of two times before gone."""
    number = 0
    while not ended.is_set():
        folder = photos / f"{number:06}"
        folder.mkdir()
        for one in range(_A_CRAWL):
            drawing(number % _CRAWLS * _A_CRAWL + one, (640, 480)).save(folder / f"{one}.jpg")
        shutil.rmtree(photos / f"{number - 2:06}", ignore_errors=True)
        try:
            _crawl(site, photos, ended)
        except OSError as error:  # HTTP's errors are, too
            site.errors.append(f"crawl {number}: {error}")
            return
        number += 1


def _crawl(site: AtWork, photos: Path, ended: threading.Event) -> None:
    """Crawl the folder to the end, or until the work `ended`."""
    crawl = ask(site.address, "/api/v1/crawls", {"folder": os.fspath(photos)})
    while (found := ask(site.address, f"/api/v1/crawls/{crawl['id']}"))["state"] == "running":
        if ended.wait(_LOOK_SECONDS):
            return
    if found["failure"]:
        site.errors.append(found["failure"])
    site.crawled += 1
