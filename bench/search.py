"""The search: how near to exact, how fast, and what it takes, at growing sizes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import clusters, large
from bench.encoder import vit_b_32
from bench.measure import Run, run
from bench.table import megabytes, table
from library.vectors import Vectors
from mlx_clip import Encoder, load_encoder, open_picture

_SIZES = (10_000, 50_000, 200_000)
_SAMPLES_SIZE = 50_000
_SAMPLES = Path("samples")
_SAMPLES_NOISE = 0.5


@dataclass(frozen=True, slots=True)
class Data:
    """A library of vectors, and what a search of it was measured to be."""

    name: str
    figures: dict[str, Any]
    peak_bytes: int


def search_section(work: Path) -> str:
    """Make libraries of vectors, have their indexes made, and search them all the while."""
    model = str(vit_b_32(work))
    cache = work / "models"
    encoder = load_encoder(model, runtime="onnx", cache=cache)
    settings = {"CLIP_MODEL": model, "CLIP_RUNTIME": "onnx", "MODEL_CACHE": str(cache)}
    measured = []
    for size in _SIZES:
        rng = np.random.default_rng(0)
        matrix = clusters.around(
            rng, clusters.centres(rng, size, encoder.dim), size, clusters.NOISE
        )
        measured.append(_measured(f"{size:,}", work, matrix, encoder, settings))
    starter = load_encoder("starter")
    samples = _around_samples(starter)
    name = f"{_SAMPLES_SIZE:,} around the samples"
    measured.append(_measured(name, work, samples, starter, {"CLIP_MODEL": "starter"}))
    return _section(measured)


def _measured(
    name: str, work: Path, matrix: Vectors, encoder: Encoder, settings: dict[str, str]
) -> Data:
    data = work / "library-of-vectors"
    shutil.rmtree(data, ignore_errors=True)
    path = data / "library.sqlite"
    large.build(
        path, len(matrix), encoder.dim, model=encoder.name, key=encoder.space, matrix=matrix
    )
    done: Run = run(["-m", "bench.search_child", data], settings)
    shutil.rmtree(data)
    return Data(name, json.loads(done.output), done.peak_bytes)


def _around_samples(encoder: Encoder) -> Vectors:
    """Vectors around those of the sample pictures."""
    paths = sorted(path for path in _SAMPLES.rglob("*") if path.suffix in (".png", ".jpg", ".webp"))
    pixels = np.stack([encoder.preprocess(open_picture(path)) for path in paths])
    own = encoder.encode_images(pixels)
    noise = _SAMPLES_NOISE / np.sqrt(encoder.dim)
    return clusters.around(np.random.default_rng(0), own, _SAMPLES_SIZE, noise)


def _section(measured: Sequence[Data]) -> str:
    recall = [
        [
            one.name,
            f"{one.figures['recall']:.4f}",
            *(f"{one.figures['filtered'][name][0]:.4f}" for name in _FILTERS),
            _lowest(one.figures["meanwhile"]),
        ]
        for one in measured
    ]
    times = [
        [
            one.name,
            _milliseconds(one.figures["times"]),
            *(_milliseconds(one.figures["filtered"][name][1]) for name in _FILTERS),
            _milliseconds(one.figures["chroma"]),
            _milliseconds(one.figures["numpy"]),
            _milliseconds(one.figures["sqlite_vec"]),
        ]
        for one in measured
    ]
    costs = [
        [
            one.name,
            f"{one.figures['matrix']:.1f} s",
            f"{one.figures['rebuilt']:.0f} s",
            f"{len(one.figures['meanwhile'])}",
            megabytes(one.figures["memory_before"]),
            megabytes(one.figures["memory"]),
            megabytes(one.peak_bytes),
        ]
        for one in measured
    ]
    kept = [f"{share} kept" for share in _FILTERS.values()]
    costs_head = ("vectors", "matrix", "index", "asked meanwhile", "before", "after", "peak")
    return (
        "## The search\n\n"
        "Vectors of 512 dimensions in clusters with a mean cosine of .55 (and of 576, around\n"
        "those that the starter model has for the samples), in libraries whose index is missing\n"
        "and is made while searches go on. Each query is a picture of the library. Recall is of\n"
        "the 50 nearest against a scan of all vectors: without a filter, with filters that keep a\n"
        "part, and the lowest of all answers while the index was being made.\n\n"
        f"{table(('vectors', 'recall@50', *kept, 'while made'), recall)}\n\n"
        "A query in the engine, from the parsed text to the page of 50 hits with their files,\n"
        "median / 99th percentile, beside the graph in ChromaDB alone, numpy's scan and\n"
        "sqlite-vec's, which know no files.\n\n"
        f"{table(('vectors', 'Kindred', *kept, 'Chroma', 'numpy', 'sqlite-vec'), times)}\n\n"
        "What it takes: to write the mapped matrix, to make the index from SQLite, and the memory\n"
        "of the process with its model, before the index and after all of the above; the peak\n"
        "includes numpy's and sqlite-vec's own copies of the vectors.\n\n"
        f"{table(costs_head, costs)}\n"
    )


_FILTERS = {"hundredth": "1%", "tenth": "10%", "half": "50%"}


def _lowest(recalls: Sequence[float]) -> str:
    return f"{min(recalls):.4f}" if recalls else "-"


def _milliseconds(seconds: Sequence[float] | None) -> str:
    if seconds is None:
        return "not installed"
    middle, late = np.quantile(seconds, (0.5, 0.99)) * 1000
    return f"{middle:.1f} / {late:.1f} ms"
