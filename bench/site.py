"""The site on a large library: how soon it is there, how fast its pages are."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import ROOT
from bench.table import table

_REPEATS = 30
_WORDS = ("dog", "red flower", "car", "house", "bird", "a man with a hat")


def site_section(data: Path, pictures: int) -> str:
    """Serve a library and time its first page and then many."""
    port = free_port()
    started = time.monotonic()
    with served(data, port):
        wait_until_up(port)
        first_page = time.monotonic() - started
        wait_until_current(port)
        rows = [[name, *_timed(port, paths)] for name, paths in _pages(port).items()]
    return (
        "## The site\n\n"
        f"`python app.py` on a library of {pictures:,} pictures, over loopback, one request at a\n"
        f"time, {_REPEATS} of each. From the start of the process to its first page: "
        f"{first_page:.1f} s.\n\n"
        f"{table(('page', 'median', 'slowest'), rows)}\n"
    )


def _pages(port: int) -> dict[str, list[str]]:
    home = get(port, "/")
    ids = sorted(set(re.findall(r"/pictures/(\d+)", home)))
    return {
        "home": ["/"],
        "results for words": [f"/search?q={word.replace(' ', '+')}" for word in _WORDS],
        "a picture, with similar ones": [f"/pictures/{image_id}" for image_id in ids],
        "API: search": [f"/api/v1/search?q={word.replace(' ', '+')}" for word in _WORDS],
        "a thumbnail": [f"/pictures/{image_id}/thumb" for image_id in ids],
    }


def _timed(port: int, paths: list[str]) -> list[str]:
    seconds = []
    for number in range(_REPEATS):
        started = time.perf_counter()
        get(port, paths[number % len(paths)])
        seconds.append(time.perf_counter() - started)
    return [f"{1000 * statistics.median(seconds):.0f} ms", f"{1000 * max(seconds):.0f} ms"]


@contextlib.contextmanager
def served(data: Path, port: int) -> Iterator[None]:
    """The site over a library, as a process of its own."""
    command = [sys.executable, "app.py", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait_until_up(port: int, seconds: int = 60) -> None:
    """Until it has sent its first page. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            get(port, "/")
            return
        time.sleep(0.02)
    raise TimeoutError(f"the site did not come up within {seconds} s")


def wait_until_current(port: int, seconds: int = 60) -> None:
    """Until then an exact scan answers, and the index is not what would be measured."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            if json.loads(get(port, "/api/v1/status"))["index"]["state"] == "current":
                return
        time.sleep(0.1)
    raise TimeoutError(f"the index did not become current within {seconds} s")


def get(port: int, path: str) -> str:
    """What a page answers. Raises RuntimeError for anything but 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
        return body.decode("utf-8", "replace")
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
