"""The crawl beside other programs, and beside the bound: decoding and encoding alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.contestants import Contest, Kind
from bench.corpora import PHOTOS, twelve_megapixel_photos
from bench.encoder import has_gpu, vit_b_32
from bench.measure import Run
from bench.rclip_environment import NoRclipError, rclip_python
from bench.table import megabytes, table

_ROUNDS = 2
_PLAIN, _RCLIP = "plain pipeline, float32", "rclip, float32"
_FLOAT32 = Kind("Kindred, float32", "onnx", "float32")
_INT8 = Kind("Kindred, int8", "onnx", "int8")
_MLX = Kind("Kindred, float16 on MLX", "mlx", "float16")
_ASKED = ((_FLOAT32, _PLAIN, "5.0"), (_FLOAT32, _RCLIP, "2.2"), (_INT8, _RCLIP, "3.5"))
_MOST_OF_BOUND = "1.2"
_DECODING = "decoding alone"


def compare_section(work: Path, count: int = PHOTOS, rounds: int = _ROUNDS) -> str:
    """Measure everything in turns, so that all meet the same noise; gives the section."""
    pictures = twelve_megapixel_photos(work / "photos", count)
    contest = Contest(pictures, count, vit_b_32(work), work)
    kinds = [_FLOAT32, _INT8, *([_MLX] if has_gpu() else [])]
    measures, of_rclip = _measures(contest, kinds)
    contest.get_ready()
    measured = [{name: measure() for name, measure in measures.items()} for _ in range(rounds)]
    runs = {name: _median([one[name] for one in measured]) for name in measures}
    return (
        "## Beside other programs\n\n"
        f"{count} JPEGs of 12 megapixels and ViT-B/32 with random weights, one ONNX file for all\n"
        "rows in float32. Each row is a whole process from start to end, into a new library: the\n"
        f"median of {rounds}, run in turns. The plain pipeline opens, decodes in full, scales and\n"
        "encodes one picture at a time, with a get and an add on ChromaDB for each.\n"
        f"{of_rclip}\n\n"
        f"{_programs(runs, kinds, count)}\n\n"
        f"{_ratios(runs)}\n\n"
        "The bound is decoding alone plus encoding alone, each on all cores and a whole process,\n"
        "or the larger of the two where the encoder has a device of its own. Decoding is the\n"
        "crawler's, from the file to the model's input; the crawl has hash, thumbnail, database\n"
        "and index on top of it. In brackets is the work without the start of the process.\n\n"
        f"{_bounds(runs, kinds)}\n"
    )


def _measures(contest: Contest, kinds: Sequence[Kind]) -> tuple[dict[str, Callable[[], Run]], str]:
    """What is measured, by its name, and a sentence on rclip."""
    measures: dict[str, Callable[[], Run]] = {
        _PLAIN: contest.plain,
        _DECODING: partial(contest.half, "decode", kinds[0]),
    }
    for kind in kinds:
        measures[_encoding(kind)] = partial(contest.half, "encode", kind)
        measures[kind.name] = partial(contest.crawl, kind)
    try:
        measures[_RCLIP] = partial(contest.rclip, rclip_python())
    except NoRclipError as error:
        return measures, f"rclip is not measured: {error}."
    return measures, "rclip runs its own indexing command, with that file for its model."


def _encoding(kind: Kind) -> str:
    return f"{kind.name}: encoding alone"


def _median(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def _programs(runs: Mapping[str, Run], kinds: Sequence[Kind], count: int) -> str:
    names = [_PLAIN, *([_RCLIP] if _RCLIP in runs else []), *(kind.name for kind in kinds)]
    head = ("", "pictures/s", "time", "processor time", "peak memory")
    rows = [
        [
            name,
            f"{count / runs[name].seconds:.1f}",
            f"{runs[name].seconds:.1f} s",
            f"{runs[name].processor_seconds:.1f} s",
            megabytes(runs[name].peak_bytes),
        ]
        for name in names
    ]
    return table(head, rows)


def _ratios(runs: Mapping[str, Run]) -> str:
    rows = [
        [f"{kind.name} / {other}", f"{runs[other].seconds / runs[kind.name].seconds:.2f}", asked]
        for kind, other, asked in _ASKED
        if other in runs
    ]
    return table(("times as fast", "measured", "wanted, at least"), rows)


def _bounds(runs: Mapping[str, Run], kinds: Sequence[Kind]) -> str:
    head = ("", "decoding", "encoding", "bound", "crawl", "crawl / bound", "wanted, at most")
    return table(head, [_bound_row(runs, kind) for kind in kinds])


def _bound_row(runs: Mapping[str, Run], kind: Kind) -> list[str]:
    halves = runs[_DECODING], runs[_encoding(kind)]
    bound = (max if kind.has_own_device else sum)(half.seconds for half in halves)
    crawl = runs[kind.name].seconds
    return [
        kind.name,
        *(f"{half.seconds:.1f} s ({float(half.output):.1f})" for half in halves),
        f"{bound:.1f} s",
        f"{crawl:.1f} s",
        f"{crawl / bound:.2f}",
        _MOST_OF_BOUND,
    ]
