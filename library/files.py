"""The tables of files, folders and roots: what lies where, and what could not be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from library.models import Failure, Folder, PictureFile, Work

FailureKind = Literal["unreadable", "undecodable"]

_PAGE = 1_000


def subtree(root: bytes) -> tuple[bytes, bytes]:
    """The half-open range of the paths below a folder: b"/" and the byte after it bound them."""
    prefix = root.rstrip(b"/")
    return prefix + b"/", prefix + b"0"


def remember_roots(connection: sqlite3.Connection, roots: Iterable[bytes]) -> None:
    """Add folders to those that the library was made from."""
    connection.executemany(
        "INSERT OR IGNORE INTO roots (path) VALUES (?)", ((root,) for root in roots)
    )


def roots(connection: sqlite3.Connection) -> list[bytes]:
    """The folders that the library was made from."""
    return [path for (path,) in connection.execute("SELECT path FROM roots ORDER BY path")]


# Word for word the condition of the index files_unread.
_UNREAD = "missing_since IS NULL AND (unchecked OR image_id IS NULL AND failure IS NULL)"
_NOT_ENCODED = """missing_since IS NULL AND (unchecked OR failure IS NULL AND NOT EXISTS (
    SELECT 1 FROM vectors WHERE vectors.image_id = files.image_id AND space_id = :space))"""


def work(connection: sqlite3.Connection, space_id: int, roots: Sequence[bytes]) -> Iterator[Work]:
    """The files below `roots` that have to be read for a space, in the order of their paths.

    Derived, never stored: a file whose content is unknown or has to be checked, or whose picture
    has no vector in the space.
    """
    condition = _condition(connection, space_id)
    for root in roots:
        first, end = subtree(root)
        while True:
            page = connection.execute(
                f"""SELECT id, path, size, mtime_ns, iif(unchecked, image_id, NULL) FROM files
                WHERE path >= :first AND path < :end AND {condition}
                ORDER BY path LIMIT {_PAGE}""",
                {"space": space_id, "first": first, "end": end},
            ).fetchall()
            for row in page:
                yield Work(*row)
            if len(page) < _PAGE:
                break
            first = page[-1][1] + b"\0"


def count_work(connection: sqlite3.Connection, space_id: int, roots: Sequence[bytes]) -> int:
    """How many files `work` would give."""
    condition = _condition(connection, space_id)
    total = 0
    for root in roots:
        first, end = subtree(root)
        (count,) = connection.execute(
            f"SELECT count(*) FROM files WHERE path >= :first AND path < :end AND {condition}",
            {"space": space_id, "first": first, "end": end},
        ).fetchone()
        total += count
    return total


def _condition(connection: sqlite3.Connection, space_id: int) -> str:
    """Which files are work: every one is looked at only where pictures lack vectors.

    NOT INDEXED, because the smallest index of pictures has them in the order of their contents,
    and looking each up elsewhere in that order takes eight times as long.
    """
    (lacking,) = connection.execute(
        """SELECT (SELECT count(*) FROM images)
            > (SELECT count(*) FROM vectors WHERE space_id = :space)
        AND EXISTS (SELECT 1 FROM images NOT INDEXED
            WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE image_id = images.id
                AND space_id = :space)
            AND EXISTS (SELECT 1 FROM files WHERE image_id = images.id
                AND missing_since IS NULL))""",
        {"space": space_id},
    ).fetchone()
    return _NOT_ENCODED if lacking else _UNREAD


def check_again(connection: sqlite3.Connection, roots: Iterable[bytes]) -> None:
    """Have every present file below some roots read again, whatever is known of it."""
    for root in roots:
        connection.execute(
            """UPDATE files SET unchecked = 1
            WHERE path >= ? AND path < ? AND missing_since IS NULL""",
            subtree(root),
        )


def try_again(connection: sqlite3.Connection, roots: Iterable[bytes]) -> None:
    """Have the files below some roots that could not be read, or decoded, tried again."""
    for root in roots:
        connection.execute(
            """UPDATE files SET failure = NULL, failure_kind = NULL
            WHERE failure IS NOT NULL AND path >= ? AND path < ?""",
            subtree(root),
        )


def set_content(
    connection: sqlite3.Connection, work: Work, image_id: int, size: int, mtime_ns: int
) -> None:
    """Record which picture a file holds, and the size and mtime it had when it was read."""
    connection.execute(
        """UPDATE files SET image_id = ?, size = ?, mtime_ns = ?, failure = NULL,
        failure_kind = NULL, unchecked = 0 WHERE id = ?""",
        (image_id, size, mtime_ns, work.file_id),
    )
    if (size, mtime_ns) != (work.size, work.mtime_ns):
        connection.execute(
            """UPDATE folders SET listing = NULL
            WHERE id = (SELECT folder_id FROM files WHERE files.id = ?)""",
            (work.file_id,),
        )


def set_failure(connection: sqlite3.Connection, work: Work, reason: str, kind: FailureKind) -> None:
    """Record that a file could not be read, and why."""
    connection.execute(
        """UPDATE files SET image_id = NULL, failure = ?, failure_kind = ?, unchecked = 0
        WHERE id = ?""",
        (reason, kind, work.file_id),
    )


def failures(
    connection: sqlite3.Connection, limit: int = -1, offset: int = 0, root: bytes = b"/"
) -> list[Failure]:
    """The present files below a folder that could not be read, in the order of the paths.

    All of them, or a page.
    """
    rows = connection.execute(
        """SELECT path, failure FROM files
        WHERE failure IS NOT NULL AND missing_since IS NULL AND path >= ? AND path < ?
        ORDER BY path LIMIT ? OFFSET ?""",
        (*subtree(root), limit, offset),
    )
    return [Failure(*row) for row in rows]


def of_image(connection: sqlite3.Connection, image_id: int) -> tuple[PictureFile, ...]:
    """A picture's files, present ones first."""
    rows = connection.execute(
        """SELECT id, folder_id, path, size, mtime_ns, missing_since FROM files
        WHERE image_id = ? ORDER BY missing_since IS NOT NULL, id""",
        (image_id,),
    )
    return tuple(PictureFile(*row) for row in rows)


def folder(connection: sqlite3.Connection, folder_id: int) -> Folder | None:
    """A folder and how many present pictures lie directly in it, or None."""
    row = connection.execute(
        """SELECT id, path, (SELECT count(DISTINCT image_id) FROM files
            WHERE folder_id = folders.id AND missing_since IS NULL)
        FROM folders WHERE id = ?""",
        (folder_id,),
    ).fetchone()
    return Folder(*row) if row else None
