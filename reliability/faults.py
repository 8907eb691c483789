"""Faults: the tests that inject one, run and counted by what they inject."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from bench.measure import ROOT
from bench.table import table


def faults_section() -> str:
    """Run the tests marked `fault(name)`; a test that this machine cannot do is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tests", "-m", "fault", "--quiet", "-nauto"]
        subprocess.run(
            [*command, f"--junitxml={path}"],
            cwd=ROOT,
            env={**os.environ, "KINDRED_SLEEP_SECONDS": "60"},
            stdout=sys.stderr,
        )
        report = ElementTree.parse(path).getroot()
        _see_that_all_ran(report)
        tried, survived = _count(report)
        slowest = max(float(told) for told in _properties(report, "seconds"))
    rows = [[name, f"{survived[name]} / {tried[name]}"] for name in sorted(tried)]
    rows.append(["all", f"{survived.total()} / {tried.total()}"])
    return (
        "## Faults\n\n"
        "Each is injected into the real program by a test (`pytest -m fault`), which sees to it\n"
        "that nothing is lost, that it is said what happened, and that it goes on afterwards.\n\n"
        f"{table(['fault', 'survived / tried'], rows)}\n\n"
        f"The longest that a program took to end when it was asked to: {slowest:.1f} s.\n"
    )


def _see_that_all_ran(report: ElementTree.Element) -> None:
    """Raise SystemExit where a file of tests did not load: its faults would be missing, unseen."""
    lost = [
        case.get("name", "")
        for case in report.iter("testcase")
        if case.find("error") is not None and not _properties(case, "fault")
    ]
    if lost:
        raise SystemExit(f"not counted, because these did not load: {', '.join(lost)}")


def _count(report: ElementTree.Element) -> tuple[Counter[str], Counter[str]]:
    """How many tests of each fault ran, and how many of those passed."""
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for case in report.iter("testcase"):
        if case.find("skipped") is not None:
            continue
        passed = case.find("failure") is None and case.find("error") is None
        for name in _properties(case, "fault"):
            tried[name] += 1
            survived[name] += passed
    return tried, survived


def _properties(of: ElementTree.Element, name: str) -> list[str]:
    return [found.get("value", "") for found in of.iter("property") if found.get("name") == name]
