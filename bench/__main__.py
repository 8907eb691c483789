"""`python -m bench`: run every benchmark, print its table, write docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import shutil

from bench.crawl import crawl_section, large_library
from bench.measure import ROOT
from bench.memory import memory_section
from bench.site import site_section
from mlx_clip import load_encoder

_WORK = ROOT / "artefacts" / "bench"
_SITE_PICTURES = 8_000


def main() -> None:
    """Measure everything, in one run on one machine."""
    for library in _WORK.glob("library-*"):
        shutil.rmtree(library)
    _WORK.mkdir(parents=True, exist_ok=True)
    sections = [_head(), crawl_section(_WORK)]
    print(sections[-1], flush=True)
    sections.append(site_section(*large_library(_WORK, _SITE_PICTURES)))
    print(sections[-1], flush=True)
    sections.append(memory_section(_WORK, load_encoder("starter")))
    print(sections[-1], flush=True)
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join(sections), encoding="utf-8")


def _head() -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; every figure is of one run on one machine, which was shared\n"
        "with others: compare the rows of one run, not runs of different days.\n\n"
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, the starter model on ONNX Runtime.\n"
    )


if __name__ == "__main__":
    main()
