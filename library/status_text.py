"""A library's status for people: a few aligned lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from library.crawl_lock import CrawlAtWork
from library.figures import STAGES, duration, figures, size
from library.models import RootCounts, display_path
from library.runs import PastRun
from library.status import IndexStatus, Status


def lines(status: Status) -> Iterator[str]:
    """The status, a line each, what it is about flush right before it."""
    told = list(_told(status))
    width = max(len(about) for about, _ in told)
    last = None
    for about, text in told:
        yield f"{'' if about == last else about:>{width}}  {text}"
        last = about


def _told(status: Status) -> Iterator[tuple[str, str]]:
    yield "library", str(status.data_dir)
    for root in status.roots:
        yield "folders", _root(root)
    for pattern in status.excludes:
        yield "left out", display_path(pattern)
    if status.counts is None:
        yield "pictures", "none yet: python -m crawler FOLDER"
    else:
        now = status.counts
        if len(status.roots) != 1:
            yield "files", _numbers(now.files, now.missing, now.failed)
        yield "pictures", f"{now.pictures:,}, of which {now.encoded:,} can be searched for"
    if status.space:
        yield "model", f"{status.model or 'not recorded'} (vectors: {status.space.key})"
    for space in status.other_spaces:
        yield "other models", f"{space.key}: {space.vectors:,} vectors, {size(space.bytes)}"
    if status.index and status.counts:
        yield "index", _index(status.index, status.counts.vectors)
    if status.last_crawl:
        yield "last crawl", _last_crawl(status.last_crawl, status.at_work)
    if status.at_work:
        yield "at work now", _at_work(status.at_work)
    disk = status.disk
    yield (
        "on disk",
        f"database {size(disk.database)}, thumbnails {size(disk.thumbnails)}, "
        f"index {size(disk.index)}, matrix {size(disk.matrix)}",
    )


def _root(root: RootCounts) -> str:
    return f"{display_path(root.path)}: {_numbers(root.files, root.missing, root.failed)}"


def _numbers(files: int, missing: int, failed: int) -> str:
    parts = [f"{files:,}"]
    if missing:
        parts.append(f"{missing:,} missing")
    if failed:
        parts.append(f"{failed:,} could not be read")
    return ", ".join(parts)


def _index(index: IndexStatus, vectors: int) -> str:
    text = f"holds {index.holds:,} of {vectors:,} vectors"
    if index.server:
        text += " on a Chroma server (CHROMA_URL)"
    if not index.there:
        text += "; there is none yet, or no more"
    elif index.owner:
        text += f", held by {index.owner}"
    elif not index.closed_well:
        text += "; it was not closed in good order, or touched since: who opens it next checks it"
    if index.holds < vectors and not index.owner:
        text += "; the next crawl, or the site, adds the others"
    return text


def _last_crawl(run: PastRun, at_work: CrawlAtWork | None) -> str:
    began = datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M")
    if run.finished is None or run.summary is None:
        return began if at_work else f"{began}, cut off: python -m crawler goes on with it"
    done = run.summary
    return (
        f"{began}, {duration(run.finished - run.started)}: {done['files']:,} files, "
        f"{done['encoded']:,} pictures encoded, {done['failed']:,} files could not be read"
    )


def _at_work(crawl: CrawlAtWork) -> str:
    who = f"process {crawl.process}"
    if crawl.progress is None:
        return f"a crawl, {who}"
    return f"{STAGES[crawl.progress.stage]}: {figures(crawl.progress)} ({who})"
