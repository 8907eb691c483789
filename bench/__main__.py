"""`python -m bench [SECTION...]`: run the benchmarks, print them, write docs/benchmarks.md."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from bench.churn import churn_section
from bench.compare import compare_section
from bench.crawl import crawl_section, large_library
from bench.document import Sections, machine, measure
from bench.duplicates import duplicates_section
from bench.encoder import encoder_section
from bench.filters import filters_section
from bench.index import index_section
from bench.map_page import map_page_section
from bench.maps import map_quality_section, maps_section
from bench.measure import ROOT
from bench.memory import memory_section
from bench.pages import pages_section
from bench.quality import quality_section
from bench.requests import requests_section
from bench.rescan import rescan_section
from bench.retrieval import retrieval_section
from bench.rows import rows_section
from bench.search import search_section
from bench.site import site_section
from bench.thumbnails import thumbnails_section

_WORK = ROOT / "artefacts" / "bench"
_DOCUMENT = ROOT / "docs" / "benchmarks.md"
_SITE_PICTURES = 8_000


def main(names: Sequence[str]) -> None:
    """Measure everything, or the sections that are named; the document keeps the others."""
    for library in _WORK.glob("library-*"):
        shutil.rmtree(library)
    _WORK.mkdir(parents=True, exist_ok=True)
    measure(_DOCUMENT, _head(), _SECTIONS, names)


def _site() -> str:
    return site_section(*large_library(_WORK, _SITE_PICTURES))


_SECTIONS: Sections = {
    "crawl": lambda: crawl_section(_WORK),
    "compare": lambda: compare_section(_WORK),
    "site": _site,
    "pages": lambda: pages_section(_WORK),
    "encoder": lambda: encoder_section(_WORK),
    "thumbnails": lambda: thumbnails_section(_WORK),
    "quality": lambda: quality_section(_WORK),
    "rescan": lambda: rescan_section(_WORK),
    "rows": lambda: rows_section(_WORK),
    "memory": lambda: memory_section(_WORK),
    "index": lambda: index_section(_WORK),
    "search": lambda: search_section(_WORK),
    "requests": lambda: requests_section(_WORK),
    "churn": lambda: churn_section(_WORK),
    "filters": lambda: filters_section(_WORK),
    "duplicates": duplicates_section,
    "retrieval": retrieval_section,
    "maps": maps_section,
    "map-page": lambda: map_page_section(_WORK),
    "map-quality": lambda: map_quality_section(_WORK),
}


def _head() -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; the figures of a section are of one run on one machine, shared\n"
        "with others: compare the rows of a section, not sections or runs of different days.\n\n"
        f"{machine()}, the starter model on ONNX Runtime.\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
