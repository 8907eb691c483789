"""Faults: the tests that inject one, run and counted by what they inject."""

from __future__ import annotations

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
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tests", "-m", "fault", "--quiet"]
        subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, stdout=sys.stderr)
        tried, survived = _count(report)
    rows = [[name, f"{survived[name]} / {tried[name]}"] for name in tried]
    rows.append(["all", f"{survived.total()} / {tried.total()}"])
    return (
        "## Faults\n\n"
        "Each is injected into the real program by a test (`pytest -m fault`).\n\n"
        f"{table(['fault', 'survived / tried'], rows)}\n"
    )


def _count(report: Path) -> tuple[Counter[str], Counter[str]]:
    """How many tests of each fault ran, and how many of those passed."""
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        passed = case.find("failure") is None and case.find("error") is None
        for name in (found.get("value", "") for found in case.findall("properties/property")):
            tried[name] += 1
            survived[name] += passed
    return tried, survived
