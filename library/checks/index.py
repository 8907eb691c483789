"""Whether the index holds and finds what it should; asked in a process that may crash."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack

from filelock import FileLock, Timeout

from library import counts, meta
from library.checks.finding import Finding, Patient, ok, skipped
from library.errors import VectorIndexError
from library.index_files import IndexFiles
from library.settings import ROOT
from library.spaces import Space

_LEAST_RECALL = 0.8
_LONGEST = 3_600  # seconds
UNREACHABLE = 3
"""How index_health ends when the server does not answer."""


def answers(patient: Patient) -> Finding:
    """Its count, vectors that should find themselves, and recall@10 against an exact scan."""
    space = meta.space(patient.connection)
    if space is None or not counts.vectors(patient.connection, space):
        return ok("nothing to hold yet")
    files = IndexFiles(patient.settings.data_dir)
    with ExitStack() as stack:
        if not patient.alone:
            try:
                stack.enter_context(FileLock(files.lock, timeout=0))
            except Timeout:
                return skipped(f"it is held by {files.owner()}, which checks it: not looked into")
        server = patient.settings.chroma_url
        if server is None and not files.is_there():
            return patient.mending_and_crawl("there is no index")
        return _ask(patient, server or str(files.directory), space)


def throw_away(patient: Patient) -> str:
    """Remove the index: the next crawl, or the site, makes it again."""
    if patient.settings.chroma_url is not None:
        return _drop(patient, patient.settings.chroma_url)
    files = IndexFiles(patient.settings.data_dir)
    files.discard()
    files.mark.unlink(missing_ok=True)
    return "Removed the index: the next crawl makes it again from the database."


def _drop(patient: Patient, server: str) -> str:
    from library.index_server import drop_graphs  # and with it chromadb: a second

    try:
        drop_graphs(server, patient.database)
    except VectorIndexError as error:
        return f"Removed nothing from the index: {error}."
    return "Removed the index from its server: the next crawl makes it again from the database."


def _ask(patient: Patient, chroma: str, space: Space) -> Finding:
    command = [sys.executable, "-m", "library.index_health", chroma]
    arguments = [str(patient.database.path), space.key]
    try:
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        return patient.mending_and_crawl("the index does not answer")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return patient.mending_and_crawl(f"the index crashes whoever reads it ({name})")
    if done.returncode == UNREACHABLE:
        hint = "start it, or unset CHROMA_URL; searches look at every picture meanwhile"
        return Finding("wrong", f"{done.stderr.strip()}: {hint}")
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        return patient.mending_and_crawl(f"the index does not open: {reason[0]}")
    return _judge(patient, json.loads(done.stdout))


def _judge(patient: Patient, health: dict[str, float]) -> Finding:
    if not health["count"]:
        return patient.mending_and_crawl("the index is empty")
    if health["lost"]:
        return patient.mending_and_crawl(
            f"vectors that the index took and has lost: {health['lost']:,}"
        )
    if health["found"] < health["asked"]:
        return patient.mending_and_crawl(
            "vectors that do not find themselves in the index: "
            f"{health['asked'] - health['found']:,} of {health['asked']:,}"
        )
    if health["recall"] < _LEAST_RECALL:
        return patient.mending_and_crawl(
            f"the index finds {health['recall']:.0%} of the nearest pictures"
        )
    return ok(
        f"{health['count']:,} vectors; {health['asked']:,} of them asked for find themselves, "
        f"recall@10 against an exact scan {health['recall']:.3f}"
    )
