"""Aside: a database that gives its place to another is kept beside it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

_BELONGINGS = ("", "-wal", "-shm")


def put_aside(path: Path, why: str) -> Path:
    """Rename a database with what SQLite keeps beside it; gives its new path."""
    aside = path.with_name(f"{path.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}")
    for belonging in _BELONGINGS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + belonging).rename(aside.with_name(aside.name + belonging))
    return aside


def remove(path: Path) -> None:
    """Remove a database with what SQLite keeps beside it, if it is there."""
    for belonging in _BELONGINGS:
        path.with_name(path.name + belonging).unlink(missing_ok=True)
