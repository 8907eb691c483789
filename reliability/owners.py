"""Who crawls and holds the index: the command line or the site, as people start them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.measure import ROOT
from tests.program import program

Stage = Literal["scan", "read", "encode", "push", "rebuild"]
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Place:
    """A folder of pictures, in the home folder, and the library's folder.

    The model is a CLIP of a few thousand weights, which leaves most of the time to the rest.
    """

    folder: Path
    data: Path

    @property
    def environment(self) -> dict[str, str]:
        """What programs are started with."""
        model = ROOT / "tests" / "checkpoints" / "clip"
        return {"HOME": str(self.folder.parent), "CLIP_MODEL": str(model), "CHROMA_URL": ""}


@dataclass(frozen=True)
class Running:
    """A program at work: `stages` are those it says it is in, `end` has it come to its end."""

    process: subprocess.Popen[str]
    stages: Callable[[], set[Stage]]
    end: Callable[[], None]


@contextmanager
def command_line(place: Place, *, reads: bool = True) -> Iterator[Running]:
    """`python -m crawler`; it `reads` where there are files to read, else it only indexes."""
    rebuilds = not (place.data / "chroma").exists()

    def stages() -> set[Stage]:
        stage = _crawl_stage(place.data)
        if stage == "push" and rebuilds and not reads:
            return {"rebuild"}
        return {stage} if stage else set()

    def end() -> None:
        output, error = process.communicate(timeout=_PATIENCE_SECONDS)
        assert process.returncode == 0, output + error

    arguments = [str(place.folder), "--data", str(place.data), "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "crawler", *arguments],
        cwd=ROOT,
        env={**os.environ, **place.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process, stages, end)
        finally:
            process.kill()


@contextmanager
def site(place: Place, *, reads: bool = True) -> Iterator[Running]:
    """`python app.py`, with a crawl begun in it where there are files to read."""
    with program("--data", str(place.data), **place.environment) as (process, address):
        if reads:
            crawl = ask(address, "/api/v1/crawls", {"folder": str(place.folder)})

        def stages() -> set[Stage]:
            stage = _crawl_stage(place.data)
            found: set[Stage] = {stage} if stage else set()
            state = ask(address, "/api/v1/status")["index"]["state"]
            if state in ("behind", "rebuilding"):
                found.add("push" if reads or state == "behind" else "rebuild")
            return found

        def is_done() -> bool:
            if reads and ask(address, f"/api/v1/crawls/{crawl['id']}")["state"] == "running":
                return False
            index = ask(address, "/api/v1/status")["index"]
            return (index["state"], index["agrees"]) == ("current", True)

        def end() -> None:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while not is_done():
                assert time.monotonic() < deadline, "the site does not come to rest"
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert process.wait(_PATIENCE_SECONDS) == 0

        yield Running(process, stages, end)


def _crawl_stage(data: Path) -> Stage | None:
    """The stage of the crawl at work in a library, as it shows it to others."""
    try:
        progress = json.loads((data / "crawl.open").read_text(encoding="ascii"))["progress"]
    except (OSError, ValueError):
        return None
    if progress is None or progress["stage"] == "scan":
        return "scan"
    if progress["stage"] == "index":
        return "push"
    return "encode" if _has_vectors(data) else "read"


def _has_vectors(data: Path) -> bool:
    """Reading only: whoever closes a database last tidies it up, which is the program's part."""
    address = f"{(data / 'library.sqlite').as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError:
        return False  # it is being made


def ask(address: str, url: str, sent: object = None) -> dict[str, Any]:
    body = None if sent is None else json.dumps(sent).encode()
    request = urllib.request.Request(address + url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
