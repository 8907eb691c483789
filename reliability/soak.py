"""Soak: `python -m reliability.soak [MINUTES]`, crawling and searching at once for a long time."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from bench.document import measure
from reliability.__main__ import DOCUMENT, WORK, head
from reliability.at_work import AtWork, site_at_work
from reliability.owners import ask
from tests.pictures import drawing

MINUTES = 30.0
# Of all: models, index and caches are filled in the beginning.
_WARM_UP = 0.25
_PAUSE_SECONDS = 0.2
_PATHS = (
    "/search?q=number+{}",
    "/api/v1/search?q=dog+{}",
    "/pictures/{}",
    "/pictures/{}/thumb",
    "/",
)


@dataclass
class Soaked:
    """When it was looked at (seconds), with what memory (MB) and how many file descriptors."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    requests: int = 0
    errors: list[str] = field(default_factory=list)


def soak_section(work: Path, minutes: float) -> str:
    """Soak for so long."""
    with site_at_work(work) as site:
        soaked = _soak(site, 60 * minutes)
        pictures = int(ask(site.address, "/api/v1/status")["counts"]["pictures"])
    soaked.errors += site.errors
    for error in soaked.errors[:20]:
        print(error, file=sys.stderr)
    memory = _slope(soaked.seconds, soaked.megabytes)
    files = _slope(soaked.seconds, soaked.files)
    return (
        "## Soak\n\n"
        f"{minutes:g} minutes of crawling and searching at once: {site.crawled} crawls, of files\n"
        "that come and go, though after the first few of no new pictures, as a library that grows\n"
        f"needs more memory ({pictures:,} at the end); {soaked.requests:,} requests, a sixth of\n"
        f"them with a picture to search by; {len(soaked.errors)} errors. After the first\n"
        f"{_WARM_UP:.0%} the site's memory changed by {memory:+,.1f} MB an hour (least squares;\n"
        f"{soaked.megabytes[-1]:,.0f} MB at the end), its open files by {files:+,.1f} an hour\n"
        f"({soaked.files[-1]} at the end).\n"
    )


def _soak(site: AtWork, seconds: float) -> Soaked:
    soaked = Soaked()
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds and not site.errors:
        try:
            _ask(site.address, soaked.requests)
        except httpx.HTTPError as error:
            soaked.errors.append(str(error))
        soaked.requests += 1
        soaked.seconds.append(passed)
        soaked.megabytes.append(site.megabytes())
        soaked.files.append(site.files())
        time.sleep(_PAUSE_SECONDS)
    return soaked


def _ask(address: str, number: int) -> None:
    """One request of many kinds, each time for something else. Raises httpx.HTTPError."""
    kind = number % (len(_PATHS) + 1)
    if kind < len(_PATHS):
        answer = httpx.get(address + _PATHS[kind].format(1 + number % 200), timeout=60)
    else:
        jpeg = io.BytesIO()
        drawing(number, (1600, 1200)).save(jpeg, "JPEG")
        answer = httpx.post(f"{address}/search", files={"image": jpeg.getvalue()}, timeout=60)
    answer.raise_for_status()


def _slope(seconds: list[float], values: list[float] | list[int]) -> float:
    """The change an hour, by least squares, after the warm-up."""
    at = np.array(seconds)
    warm = at >= _WARM_UP * at[-1]
    return float(np.polyfit(at[warm] / 3600, np.array(values, float)[warm], 1)[0])


def main(words: list[str]) -> None:
    """Soak, print it, and write it into the document."""
    minutes = float(words[0]) if words else MINUTES
    sections = {"soak": lambda: soak_section(WORK / "soak", minutes)}
    measure(DOCUMENT, head(), sections, [])


if __name__ == "__main__":
    main(sys.argv[1:])
