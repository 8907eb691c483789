"""What lies around the database: work to do, the folders, the disk, leftovers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from library import counts, files, meta, runs
from library.checks.finding import Finding, Patient, crawl_command, ok, skipped
from library.figures import size
from library.models import display_path
from library.status import index_status

_LEAST_FREE = 500_000_000
_THUMBNAIL = 50_000  # bytes, at most: what one of a photograph takes
_INDEXED = 2.5  # times a vector's size, on the disk that the index lies on


def nothing_to_do(patient: Patient) -> Finding:
    """Whether everything known was read, encoded and indexed, and the last crawl ended well."""
    if patient.crawl:
        return skipped(f"a crawl is at work, process {patient.crawl.process}")
    unread, unindexed, indexer = _to_do(patient)
    problems = []
    if runs.cut_off(patient.connection):
        problems.append("the last crawl was cut off")
    if unread:
        problems.append(f"files that are still to be read: {unread:,}")
    if unindexed and not indexer:
        problems.append(f"vectors that the index lacks: {unindexed:,}")
    if problems:
        return Finding("wrong", "; ".join(problems), crawl_command(patient.settings))
    failed = len(files.failures(patient.connection))
    note = f", or could not be: {failed:,}, see python -m library failures" if failed else ""
    return ok(f"every file that is known was read{note}")


def roots_are_there(patient: Patient) -> Finding:
    """Whether the folders that were crawled are there."""
    roots = files.roots(patient.connection)
    gone = [display_path(root) for root in roots if not os.path.isdir(root)]
    if gone:
        what = f"not there now: {', '.join(gone)}; what is known of them is kept"
        return Finding("wrong", f"{what}. Plug the disk in", crawl_command(patient.settings))
    return ok(f"{len(roots):,}, all there" if len(roots) > 1 else "there")


def room(patient: Patient) -> Finding:
    """Whether the disk has room for what is still to come."""
    free = shutil.disk_usage(patient.settings.data_dir).free
    space = meta.space(patient.connection)
    unread, unindexed, _ = _to_do(patient)
    vector = space.vector_bytes if space else 0
    to_come = unread * (_THUMBNAIL + vector) + (unread + unindexed) * vector * _INDEXED
    return judge_room(patient.settings.data_dir, free, round(to_come))


def judge_room(folder: Path, free: int, to_come: int) -> Finding:
    """What `free` bytes mean when so many more are about to be written."""
    if free < to_come + _LEAST_FREE:
        more = f", and what is still to be crawled takes about {size(to_come)}" if to_come else ""
        what = f"{size(free)} are free{more}: make room, or move {folder} to another disk"
        return Finding("wrong", what)
    return ok(f"{size(free)} free")


def leftovers(patient: Patient) -> Finding:
    """What a process that was killed left behind."""
    if patient.crawl:
        return skipped("a crawl is at work")
    found = _leftovers(patient.settings.data_dir)
    if found:
        return patient.mending(f"left behind: {', '.join(path.name for path in found)}")
    return ok("none")


def remove_leftovers(patient: Patient) -> str:
    """Remove it."""
    found = _leftovers(patient.settings.data_dir)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return f"Removed {', '.join(path.name for path in found)}."


def _leftovers(data_dir: Path) -> list[Path]:
    return sorted([*data_dir.glob("chroma.damaged-*"), *data_dir.glob("*.partial")])


def _to_do(patient: Patient) -> tuple[int, int, str | None]:
    """Files to read, vectors that the index lacks, and who holds the index."""
    connection = patient.connection
    space = meta.space(connection)
    if space is None:
        return 0, 0, None
    unread = files.count_work(connection, space.id, files.roots(connection))
    vectors, indexed = counts.vectors(connection, space), counts.indexed(connection, space)
    index = index_status(patient.settings, indexed)
    return unread, vectors - index.holds, index.owner
