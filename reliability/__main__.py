"""`python -m reliability [SECTION...]`: try it, print it, write docs/reliability.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.document import Sections, machine, measure
from bench.measure import ROOT
from reliability.api import api_section
from reliability.faults import faults_section
from reliability.fuzz import fuzz_section
from reliability.kills import kills_section
from reliability.load import load_section
from reliability.traversal import traversal_section

WORK = ROOT / "artefacts" / "reliability"
DOCUMENT = ROOT / "docs" / "reliability.md"

_SECTIONS: Sections = {
    "kills": lambda: kills_section(WORK / "kills"),
    "faults": faults_section,
    "fuzz": fuzz_section,
    "api": lambda: api_section(WORK / "api"),
    "traversal": lambda: traversal_section(WORK / "traversal"),
    "load": lambda: load_section(WORK / "load"),
}


def main(names: Sequence[str]) -> None:
    """Try everything, or the sections that are named; the document keeps the others."""
    measure(DOCUMENT, head(), _SECTIONS, names)


def head() -> str:
    """What the document begins with."""
    return (
        "# Reliability\n\n"
        "Written by `make reliability`. Everything here was tried with the real program: real\n"
        "signals, full disks, broken files. What is not counted below is not claimed.\n\n"
        f"{machine()}.\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
