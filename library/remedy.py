"""What to do about a disk or a database that does not do its part, as the end of a sentence."""

from __future__ import annotations

_FULL = ("disk is full", "No space left on device", "File too large", "Disk quota exceeded")
_DAMAGED = ("malformed", "not a database")


def remedy(error: Exception | str | None) -> str:
    """What to do, after a full stop; nothing where only the error itself can tell.

    By the words of it, because SQLite, Chroma and the system each have errors of their own.
    """
    words = str(error)
    if any(full in words for full in _FULL):
        return ". Make room on that disk; the next run goes on from here"
    if any(damaged in words for damaged in _DAMAGED):
        return ". `python -m library doctor` tells what can be saved"
    return ""
