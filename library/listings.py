"""The tables of files and folders, brought in line with what a scan saw.

A folder's `listing` is the digest of the file list's records that its rows agree with: a scan that
comes to the same digest has nothing to compare. It is NULL when nobody knows, and empty when the
folder has no present files. Whoever changes the size, mtime or presence of a file outside this
module sets it to NULL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from library.files import subtree
from library.models import FileEntry

_NOTHING = b""


def apply_list(
    connection: sqlite3.Connection,
    digests: Mapping[bytes, bytes],
    entries: Callable[[set[bytes]], Iterable[FileEntry]],
    walked: Sequence[bytes],
    unreadable: Sequence[bytes],
    now: float,
) -> None:
    """Bring the table of files in line with a file list, inside the caller's transaction.

    The list is given by the digest of each folder that it names, and by `entries`, which gives the
    files of some folders. New files are added; changed ones (size or mtime) lose what was known of
    their content; seen again, a missing one is present. Below the `walked` roots, files that the
    list does not name become missing since `now` (Unix time), except below the `unreadable`
    folders, where nobody could look.
    """
    known = dict(connection.execute("SELECT path, listing FROM folders").fetchall())
    changed = {f for f, digest in digests.items() if known.get(f, _NOTHING) != digest}
    gone = {
        folder
        for folder, listing in known.items()
        if listing != _NOTHING and folder not in digests and _is_in(folder, walked)
    }
    spared = {folder for folder in gone | changed if _is_in(folder, unreadable)}
    if changed or gone:
        _compare(connection, changed, entries, (changed | gone) - spared, now)
        listings = {folder: digests.get(folder, _NOTHING) for folder in changed | gone}
        connection.executemany(
            "UPDATE folders SET listing = ? WHERE path = ?",
            ((None if f in spared else listing, f) for f, listing in listings.items()),
        )
    for root in walked:
        # What the disk refused last time may be readable now; a broken picture stays broken.
        connection.execute(
            """UPDATE files SET failure = NULL, failure_kind = NULL
            WHERE failure IS NOT NULL AND failure_kind = 'unreadable'
            AND path >= ? AND path < ?""",
            subtree(root),
        )


def known(connection: sqlite3.Connection, folder: bytes) -> dict[bytes, FileEntry]:
    """The present files that lie directly in a folder, by path."""
    rows = connection.execute(
        """SELECT files.path, size, mtime_ns FROM files JOIN folders ON folders.id = folder_id
        WHERE folders.path = ? AND missing_since IS NULL""",
        (folder,),
    )
    return {entry[0]: entry for entry in rows}


def is_known(connection: sqlite3.Connection, path: bytes) -> bool:
    """Whether a path is a present file, or a folder with one in it or below it."""
    row = connection.execute(
        """SELECT 1 FROM files
        WHERE missing_since IS NULL AND (path = ? OR path >= ? AND path < ?) LIMIT 1""",
        (path, *subtree(path)),
    ).fetchone()
    return row is not None


def apply_changes(
    connection: sqlite3.Connection,
    entries: Sequence[FileEntry],
    gone: Collection[bytes],
    now: float,
) -> int:
    """Bring some files in line with what was seen of them, inside the caller's transaction.

    What is `gone`, a file or a folder with everything below it, becomes missing since `now`;
    gives how many files that are.
    """
    _compare(
        connection, {os.path.dirname(path) for path, _, _ in entries}, lambda _: entries, set(), now
    )
    missing = 0
    for path in gone:
        missing += connection.execute(
            """UPDATE files SET missing_since = ?
            WHERE missing_since IS NULL AND (path = ? OR path >= ? AND path < ?)""",
            (now, path, *subtree(path)),
        ).rowcount
        connection.execute(
            "UPDATE folders SET listing = NULL WHERE path IN (?, ?) OR path >= ? AND path < ?",
            (path, os.path.dirname(path), *subtree(path)),
        )
    connection.executemany(
        "UPDATE folders SET listing = NULL WHERE path = ?",
        ((os.path.dirname(path),) for path, _, _ in entries),
    )
    return missing


def _compare(
    connection: sqlite3.Connection,
    changed: set[bytes],
    entries: Callable[[set[bytes]], Iterable[FileEntry]],
    complete: set[bytes],
    now: float,
) -> None:
    """Compare the `changed` folders file by file; what is not listed in `complete` ones is gone."""
    connection.executemany(
        "INSERT OR IGNORE INTO folders (path) VALUES (?)", ((folder,) for folder in changed)
    )
    connection.execute(
        """CREATE TEMP TABLE listed (
            path BLOB PRIMARY KEY, folder BLOB, size INTEGER, mtime_ns INTEGER
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE TEMP TABLE complete (folder BLOB PRIMARY KEY) WITHOUT ROWID")
    try:
        connection.executemany(
            "INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?)",
            ((path, os.path.dirname(path), size, mtime) for path, size, mtime in entries(changed)),
        )
        connection.executemany("INSERT INTO complete VALUES (?)", ((f,) for f in complete))
        _add_and_update(connection)
        connection.execute(
            """UPDATE files SET missing_since = ? WHERE missing_since IS NULL
            AND folder_id IN (SELECT id FROM folders JOIN complete ON path = folder)
            AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.path = files.path)""",
            (now,),
        )
    finally:
        connection.execute("DROP TABLE listed")
        connection.execute("DROP TABLE complete")


def _add_and_update(connection: sqlite3.Connection) -> None:
    """Write what differs, and nothing else."""
    connection.execute(
        """INSERT INTO files (path, folder_id, size, mtime_ns)
        SELECT listed.path, folders.id, size, mtime_ns
        FROM listed JOIN folders ON folders.path = listed.folder
        WHERE true ORDER BY listed.path
        ON CONFLICT (path) DO UPDATE SET
            missing_since = NULL,
            image_id = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                           image_id, NULL),
            failure = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                          failure, NULL),
            failure_kind = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                               failure_kind, NULL),
            size = excluded.size,
            mtime_ns = excluded.mtime_ns
        WHERE missing_since IS NOT NULL
            OR size != excluded.size OR mtime_ns != excluded.mtime_ns"""
    )


def _is_in(folder: bytes, others: Iterable[bytes]) -> bool:
    """Whether a folder is one of some others, or lies below one."""
    for other in others:
        first, end = subtree(other)
        if folder == other or first <= folder < end:
            return True
    return False
