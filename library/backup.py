"""Backup and restore: the one file of a library that a crawl could not make again soon.

That is the database: thumbnails, matrix and index come from it and the pictures. SQLite's online
backup (https://www.sqlite.org/backup.html) copies it as it is at one moment, whoever writes to it.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from library.alone import alone
from library.aside import put_aside, remove
from library.database import Database
from library.errors import DatabaseError, StorageError
from library.index_files import IndexFiles
from library.remedy import remedy
from library.settings import Settings

# What came from the database that is replaced, and would be taken for the new one's.
_DERIVED_TABLES = ("indexed_vectors", "unwanted_vectors")


def back_up(settings: Settings, target: Path | None = None) -> Path:
    """Copy the database, also while a crawl or the site is at work; gives the copy's path.

    `target` is a file that is not there yet, or a folder; without it, `backups` in the library's
    own folder. The copy has been read from end to end. Raises StorageError when it cannot be
    written and DatabaseError when the library's database, or the copy, is damaged.
    """
    target = _target(settings, target)
    with _partial(target) as partial:
        _copy(settings.database_path, partial)
        partial.rename(target)
    return target


def restore(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of the library's database; gives where that is kept, if there was.

    The backup itself stays as it is. Raises DatabaseError, changing nothing, when it is damaged or
    no library, SchemaTooNewError when a newer version made it, CrawlBusyError or IndexBusyError
    while somebody works with the library, StorageError when there is no room.
    """
    path = settings.database_path
    if not source.is_file():
        raise DatabaseError(f"{source} is not there: name a file that `backup` has written")
    with _partial(path) as partial, alone(settings.data_dir):
        _copy(source, partial)
        _make_it_this_one(partial)
        aside = put_aside(path, "before-restore") if path.exists() else None
        partial.rename(path)
        _discard_derived(settings)
    return aside


def _target(settings: Settings, target: Path | None) -> Path:
    name = time.strftime("library-%Y%m%d-%H%M%S.sqlite")
    if target is None:
        return settings.data_dir / "backups" / name
    if target.is_dir():
        return target / name
    if target.exists():
        raise StorageError(f"{target} is there already: name another file, or a folder")
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy a database into one that is a single file, and read that to its end."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        try:
            old.execute("SELECT name FROM schema_migrations")
        except sqlite3.DatabaseError as error:
            raise DatabaseError(f"{source} is not the database of a library: {error}") from error
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
        (found,) = new.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise DatabaseError(f"{source} is damaged: {found}. python -m library doctor tells more")


def _make_it_this_one(path: Path) -> None:
    """Bring a copy to this version's schema, and forget what was true of its old place only."""
    with closing(Database(path)) as database, database.transaction() as connection:
        for table in _DERIVED_TABLES:
            connection.execute(f"DELETE FROM {table}")
        # Numbers that were given after the backup may be given again, to other pictures: browsers
        # must not take the thumbnails that they keep for theirs.
        connection.execute("DELETE FROM meta WHERE key = 'library_id'")


def _discard_derived(settings: Settings) -> None:
    IndexFiles(settings.data_dir).discard()
    shutil.rmtree(settings.data_dir / "matrix", ignore_errors=True)
    settings.file_list_path.unlink(missing_ok=True)


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A name beside `path` to write under first; what is left there in the end is removed.

    Errors of the disk and of SQLite become sentences.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(partial)
        yield partial
    except sqlite3.Error as error:
        raise DatabaseError(
            f"cannot copy the database to {path}: {error}{remedy(error)}"
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise StorageError(f"cannot write {path}: {why}{remedy(error)}") from error
    finally:
        with suppress(OSError):
            remove(partial)
