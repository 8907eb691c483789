"""Progress in figures and words, for the terminal and the site alike."""

from __future__ import annotations

from library.models import Progress

STAGES = {"scan": "Looking for pictures", "read": "Reading", "index": "Indexing"}


def figures(progress: Progress) -> str:
    """Done, of how many, per second, time left, failed: in one line."""
    total = "" if progress.total is None else f" of {progress.total:,}"
    parts = [f"{progress.done:,}{total}", f"{progress.rate:,.1f}/s"]
    if progress.bytes >= 1e6:
        parts.append(size(progress.bytes))
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        parts.append(f"{duration(progress.seconds_left)} left")
    if progress.failed:
        parts.append(f"{progress.failed:,} could not be read")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """Bytes as people say them: 12 MB, 3.4 GB (powers of ten)."""
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
