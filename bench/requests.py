"""Requests to the search API: how long they take, alone, together, and beside a crawl."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from bench import clusters, large
from bench.corpora import PHOTOS, twelve_megapixel_photos
from bench.encoder import vit_b_32
from bench.measure import ROOT
from bench.site import free_port, get, wait_until_current
from bench.table import megabytes, table
from mlx_clip import load_encoder

VECTORS = 200_000
_CLIENTS = (1, 4, 16)
_EACH = {1: 60, 4: 30, 16: 12}
_WORDS = ("red", "old", "small", "wet", "happy", "round", "dark", "torn")
_THINGS = ("dog", "car", "house", "cup", "hat", "tree", "boat", "chair", "bird", "door")


def requests_section(work: Path) -> str:
    """Serve a large library from a process of its own and ask it."""
    model, cache = vit_b_32(work), work / "models"
    encoder = load_encoder(str(model), runtime="onnx", cache=cache)
    data = work / "library-of-requests"
    shutil.rmtree(data, ignore_errors=True)
    rng = np.random.default_rng(0)
    matrix = clusters.around(
        rng, clusters.centres(rng, VECTORS, encoder.dim), VECTORS, clusters.NOISE
    )
    path = data / "library.sqlite"
    large.build(path, VECTORS, encoder.dim, model=encoder.name, key=encoder.space, matrix=matrix)
    settings = {"CLIP_MODEL": str(model), "CLIP_RUNTIME": "onnx", "MODEL_CACHE": str(cache)}
    photos = twelve_megapixel_photos(work / "photos", PHOTOS)
    words = _new_words()
    with _served(data, settings, photos) as (port, process):
        wait_until_current(port, 1_800)
        rows = [_row("", port, words, clients) for clients in _CLIENTS]
        memory = psutil.Process(process.pid).memory_info().rss
        with _crawling(process) as crawls:
            rows += [_row("during a crawl", port, words, n, crawls) for n in _CLIENTS]
    shutil.rmtree(data)
    head = ("clients", "", "new words", "slowest", "words asked before", "slowest", "requests")
    return (
        "## Requests\n\n"
        f"`GET /api/v1/search?q=...&limit=50` over loopback, {VECTORS:,} pictures, ViT-B/32's\n"
        "text tower in float32, median / 99th percentile. Words that were asked before are not\n"
        f"encoded again. The crawl reads {PHOTOS} photos of 12 megapixels in the site's own\n"
        "process, and the clients share the processors with it. Memory of the process before the\n"
        f"crawl, model, index and mapped vectors included: {megabytes(memory)}.\n\n"
        f"{table(head, rows)}\n"
    )


def _row(
    when: str,
    port: int,
    words: Iterator[str],
    clients: int,
    goes_on: Callable[[], bool] = lambda: True,
) -> list[str]:
    asked = [[next(words) for _ in range(_EACH[clients])] for _ in range(clients)]
    first, second = _ask(port, asked), _ask(port, asked)
    note = when if goes_on() else f"{when} (which ended)"
    return [str(clients), note, *_figures(first), *_figures(second), str(len(first))]


def _ask(port: int, asked: Sequence[Sequence[str]]) -> list[float]:
    """The seconds of every request; each client sends its own, one after the other."""
    seconds: list[float] = []

    def client(words: Sequence[str]) -> None:
        for word in words:
            started = time.perf_counter()
            get(port, f"/api/v1/search?q={word.replace(' ', '+')}&limit=50")
            seconds.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client, args=(words,)) for words in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def _figures(seconds: Sequence[float]) -> tuple[str, str]:
    middle, late = np.quantile(seconds, (0.5, 0.99)) * 1000
    return f"{middle:.0f} / {late:.0f} ms", f"{1000 * max(seconds):.0f} ms"


def _new_words() -> Iterator[str]:
    """Queries that nobody asked before."""
    for number in itertools.count():
        for word, thing in itertools.product(_WORDS, _THINGS):
            yield f"{word} {thing} with {number} things"


@contextmanager
def _served(
    data: Path, settings: dict[str, str], photos: Path
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    command = [sys.executable, "-m", "bench.requests_child", str(data), str(port), str(photos)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _crawling(process: subprocess.Popen[str]) -> Iterator[Callable[[], bool]]:
    """Have the process crawl; gives whether it still does."""
    assert process.stdin is not None
    assert process.stdout is not None
    ended = threading.Event()
    output = process.stdout

    def wait() -> None:
        output.readline()
        ended.set()

    process.stdin.write("crawl\n")
    process.stdin.flush()
    threading.Thread(target=wait, daemon=True).start()
    time.sleep(3)
    yield lambda: not ended.is_set()
