"""Load: searches, thumbnails and pages asked for by many at once, while the site crawls."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET, socket
from urllib.parse import urlsplit

from bench.table import table
from reliability.at_work import LARGE, AtWork, site_at_work
from reliability.owners import ask

_SECONDS, _CONNECTIONS = 10, 16
_PAGES = {
    "search, as JSON": "/api/v1/search?q=dog",
    "search, as a page": "/search?q=dog+park",
    "the first page": "/",
    "a picture's page": "/pictures/7",
    "a thumbnail": "/pictures/7/thumb",
}
_SEARCHES = 20
_PATIENCE = 60
_TIME = r"[\d.]+(?:us|ms|s|m)\b"


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk counted: milliseconds that 50 and 99 of a hundred answers took at most."""

    requests: int
    a_second: float
    p50: float
    p99: float
    errors: int


def load_section(work: Path) -> str:
    """Ask for each page alone, then search beside crowds of other clients."""
    if not shutil.which("wrk"):
        return "## Load\n\nNot measured: it needs `wrk` (Debian: apt install wrk).\n"
    with site_at_work(work) as site:
        before, crawled = site.megabytes(), site.crawled
        loads = {name: _load(f"{site.address}{path}") for name, path in _PAGES.items()}
        crowds = {name: _beside(site, crowd) for name, crowd in _crowds(site).items()}
        after, crawled = site.megabytes(), site.crawled - crawled
        files, errors = site.files(), len(site.errors)
    print(*site.errors, sep="\n", file=sys.stderr)
    return (
        "## Load\n\n"
        f"`wrk`, {_CONNECTIONS} connections for {_SECONDS} s each, on the same processors, while\n"
        f"the site crawls new pictures ({crawled} crawls ended meanwhile, {errors} with an "
        "error).\n\n"
        f"{_load_table(loads)}\n\n"
        f"Then {_SEARCHES} searches one after the other, beside clients that want nothing good.\n\n"
        f"{_crowd_table(crowds)}\n\n"
        f"The site's memory: {before:,.0f} MB before, {after:,.0f} MB after all of it, with "
        f"{files} file descriptors.\n"
    )


def _load_table(loads: dict[str, Load]) -> str:
    rows = [
        [name, *(f"{value:,.0f}" for value in (x.requests, x.a_second, x.p50, x.p99, x.errors))]
        for name, x in loads.items()
    ]
    total, errors = (sum(getattr(x, n) for x in loads.values()) for n in ("requests", "errors"))
    rows.append(["all", f"{total:,}", "", "", "", str(errors)])
    return table(["asked for", "requests", "a second", "p50, ms", "p99, ms", "errors"], rows)


def _crowd_table(crowds: dict[str, tuple[float, int]]) -> str:
    rows = [[name, f"{worst * 1000:,.0f}", str(errors)] for name, (worst, errors) in crowds.items()]
    return table(["clients", "the slowest search, ms", "errors"], rows)


def _load(url: str) -> Load:
    command = ["wrk", f"-c{_CONNECTIONS}", "-t2", f"-d{_SECONDS}s", "--timeout", "30s", "--latency"]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    refused = re.findall(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.findall(r"(?:connect|read|write|timeout) (\d+)", said)
    return Load(
        requests=int(_found(r"(\d+) requests in", said)),
        a_second=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=_milliseconds(_found(rf"50%\s+({_TIME})", said)),
        p99=_milliseconds(_found(rf"99%\s+({_TIME})", said)),
        errors=sum(map(int, refused + broken)),
    )


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if not found:
        raise SystemExit(f"wrk said something else than usual:\n{text}")
    return found[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def _crowds(site: AtWork) -> dict[str, Callable[[], object]]:
    """Each opens its clients in a context that ends with them."""
    name = f"name:{LARGE}"
    large = ask(site.address, f"/api/v1/search?q={name}")["hits"][0]["urls"]["file"]
    return {
        "500 open connections that say nothing": partial(_open, site, 500, ""),
        "500 that send half a request": partial(_open, site, 500, "GET / HTTP/1.1\r\nHost: lo"),
        "50 that read 31 MB a byte at a time": partial(_open, site, 50, _get(large)),
        "50 that read its parts so": partial(_open, site, 50, _get(large, "bytes=5-")),
        "500 that ask and hang up": partial(_hang_up, site, 500),
    }


def _get(path: str, part: str = "") -> str:
    header = f"Range: {part}\r\n" if part else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n"


@contextmanager
def _open(site: AtWork, count: int, says: str) -> Iterator[list[socket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(_client(site, says)) for _ in range(count)]


@contextmanager
def _hang_up(site: AtWork, count: int) -> Iterator[list[socket]]:
    for _ in range(count):
        _client(site, _get("/search?q=dog")).close()
    yield []


def _client(site: AtWork, says: str) -> socket:
    parts = urlsplit(site.address)
    client = socket()
    client.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
    client.connect((parts.hostname, parts.port))
    client.sendall(says.encode())
    return client


def _beside(site: AtWork, crowd: Callable[[], object]) -> tuple[float, int]:
    """The seconds of the slowest search, and how many failed."""
    worst, errors = 0.0, 0
    with crowd() as clients:  # type: ignore[attr-defined]
        for number in range(_SEARCHES):
            for client in clients:
                client.setblocking(False)
                _sip(client)
            begun = time.monotonic()
            errors += not _answers(f"{site.address}/search?q=number+{number}")
            worst = max(worst, time.monotonic() - begun)
    return worst, errors


def _sip(client: socket) -> None:
    with suppress(BlockingIOError):
        client.recv(1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            return bool(answer.read()) and answer.status == 200
    except OSError:
        return False
