"""The schema, as named migrations: each in one transaction of its own, applied once, in order."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from library.errors import SchemaTooNewError


@dataclass(frozen=True, slots=True)
class Migration:
    """A step of the schema. Once released, a migration is never edited: add another."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        "001_library",
        (
            """CREATE TABLE meta (
                key TEXT PRIMARY KEY,
                value TEXT NOT NULL
            ) STRICT""",
            """CREATE TABLE roots (
                id INTEGER PRIMARY KEY,
                path BLOB NOT NULL UNIQUE
            ) STRICT""",
            """CREATE TABLE folders (
                id INTEGER PRIMARY KEY,
                path BLOB NOT NULL UNIQUE
            ) STRICT""",
            # A picture is a content: a renamed, moved or copied file is the same picture.
            """CREATE TABLE images (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                content_hash BLOB NOT NULL UNIQUE,
                width INTEGER NOT NULL,
                height INTEGER NOT NULL,
                format TEXT NOT NULL,
                frames INTEGER NOT NULL,
                byte_size INTEGER NOT NULL,
                colour TEXT NOT NULL,
                taken_at TEXT,
                camera TEXT,
                latitude REAL,
                longitude REAL
            ) STRICT""",
            # A file is a path. image_id is NULL until the file, as it is now, has been read.
            """CREATE TABLE files (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                path BLOB NOT NULL UNIQUE,
                folder_id INTEGER NOT NULL REFERENCES folders (id),
                size INTEGER NOT NULL,
                mtime_ns INTEGER NOT NULL,
                image_id INTEGER REFERENCES images (id),
                missing_since REAL,
                failure TEXT,
                failure_kind TEXT CHECK (failure_kind IN ('unreadable', 'undecodable'))
            ) STRICT""",
            "CREATE INDEX files_by_image ON files (image_id)",
            "CREATE INDEX files_by_folder ON files (folder_id)",
            "CREATE INDEX files_by_mtime ON files (mtime_ns)",
            """CREATE TABLE spaces (
                id INTEGER PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                dim INTEGER NOT NULL
            ) STRICT""",
            # AUTOINCREMENT: ids only grow, so "newer than the last one I saw" is exact.
            """CREATE TABLE vectors (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                space_id INTEGER NOT NULL REFERENCES spaces (id),
                image_id INTEGER NOT NULL REFERENCES images (id),
                vector BLOB NOT NULL,
                UNIQUE (image_id, space_id)
            ) STRICT""",
            "CREATE INDEX vectors_by_space ON vectors (space_id, id)",
            # What a Chroma collection holds. Keyed by the collection's own UUID: a directory that
            # was deleted and made again has another, so nothing stale is ever believed.
            """CREATE TABLE indexed_vectors (
                collection TEXT NOT NULL,
                vector_id INTEGER NOT NULL REFERENCES vectors (id),
                PRIMARY KEY (collection, vector_id)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE runs (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                started REAL NOT NULL,
                listed INTEGER NOT NULL DEFAULT 0,
                finished REAL,
                summary TEXT
            ) STRICT""",
        ),
    ),
    Migration(
        "002_crawl",
        (
            # Set by a crawl that checks contents, until the file has been read again.
            "ALTER TABLE files ADD COLUMN unchecked INTEGER NOT NULL DEFAULT 0",
            # For the counts: which pictures have a present file, without a look at the files.
            "DROP INDEX files_by_image",
            "CREATE INDEX files_by_image ON files (image_id, missing_since)",
            # Digest of the listing that a folder's files agree with: see listings.py.
            "ALTER TABLE folders ADD COLUMN listing BLOB",
            # The work there is: few rows, so that a crawl with nothing to do does not look at all.
            """CREATE INDEX files_unread ON files (path) WHERE missing_since IS NULL
                AND (unchecked OR image_id IS NULL AND failure IS NULL)""",
            "CREATE INDEX files_missing ON files (path) WHERE missing_since IS NOT NULL",
            "CREATE INDEX files_failed ON files (path, missing_since) WHERE failure IS NOT NULL",
            # What no crawl of this library looks at: patterns, as the command line takes them.
            "CREATE TABLE excludes (pattern BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
            # A vector lies in one collection at most: finds what none holds, and what one held.
            "CREATE INDEX indexed_by_vector ON indexed_vectors (vector_id)",
            # Of pictures that were forgotten: what collections still hold, until their owner
            # has taken it out. Chroma's ids are content hashes, so no vector row is needed.
            """CREATE TABLE unwanted_vectors (
                collection TEXT NOT NULL,
                content_hash BLOB NOT NULL,
                PRIMARY KEY (collection, content_hash)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "003_search",
        (
            # See perceptual_hash.py. NULL in pictures that were crawled before there was one.
            "ALTER TABLE images ADD COLUMN perceptual_hash INTEGER",
            "CREATE INDEX images_unhashed ON images (id) WHERE perceptual_hash IS NULL",
        ),
    ),
    Migration(
        "004_runs",
        (
            # What a crawl was asked to look through, so that it goes on even where the walk itself
            # was cut off: paths with a NUL between them, which no path holds.
            "ALTER TABLE runs ADD COLUMN roots BLOB NOT NULL DEFAULT x''",
            # The newest vector when it began: what came of it since is newer.
            "ALTER TABLE runs ADD COLUMN after_vector INTEGER NOT NULL DEFAULT 0",
        ),
    ),
    Migration(
        "005_maps",
        (
            # Pictures that belong together by where they lie or come from: items, such as the
            # albums of a folder or the models of a site, in collections.
            """CREATE TABLE collections (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                source TEXT NOT NULL,
                folder BLOB NOT NULL UNIQUE
            ) STRICT""",
            # The pictures of an item are those whose paths lie from first_path on, below end_path;
            # an imported one has none, its pictures are in item_pictures.
            """CREATE TABLE items (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
                key BLOB NOT NULL,
                name TEXT NOT NULL,
                first_path BLOB,
                end_path BLOB,
                version TEXT,
                creator TEXT,
                base_model TEXT,
                page_url TEXT,
                tags TEXT NOT NULL DEFAULT '[]',
                words TEXT NOT NULL DEFAULT '[]',
                statistics TEXT NOT NULL DEFAULT '{}',
                pictures_asked INTEGER NOT NULL DEFAULT 0,
                UNIQUE (collection_id, key)
            ) STRICT""",
            # What an import fetched. By content, so the files may be moved or renamed.
            """CREATE TABLE item_pictures (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                item_id INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
                remote_id TEXT NOT NULL,
                content_hash BLOB,
                page_url TEXT,
                prompt TEXT,
                failure TEXT,
                UNIQUE (item_id, remote_id)
            ) STRICT""",
            "CREATE INDEX item_pictures_by_remote_id ON item_pictures (remote_id)",
            "CREATE INDEX item_pictures_by_content ON item_pictures (content_hash)",
            # parameters and figures are JSON; mean and components what vectors are projected by.
            """CREATE TABLE maps (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                space_id INTEGER NOT NULL REFERENCES spaces (id),
                collection_id INTEGER REFERENCES collections (id) ON DELETE SET NULL,
                created REAL NOT NULL,
                parameters TEXT NOT NULL,
                figures TEXT NOT NULL,
                mean BLOB NOT NULL,
                components BLOB NOT NULL
            ) STRICT""",
            """CREATE TABLE clusters (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                map_id INTEGER NOT NULL REFERENCES maps (id) ON DELETE CASCADE,
                number INTEGER NOT NULL,
                x INTEGER NOT NULL,
                y INTEGER NOT NULL,
                spread REAL NOT NULL,
                centroid BLOB NOT NULL,
                labels TEXT NOT NULL,
                medoids TEXT NOT NULL,
                name TEXT,
                UNIQUE (map_id, number)
            ) STRICT""",
            # No reference to images: a picture that was forgotten counts as gone, and forgetting
            # need not look for it in every map. cluster is NULL for noise, x and y are 0 to 65535,
            # placed is 1 for what came after the map was built.
            """CREATE TABLE map_points (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                map_id INTEGER NOT NULL REFERENCES maps (id) ON DELETE CASCADE,
                image_id INTEGER NOT NULL,
                cluster INTEGER,
                x INTEGER NOT NULL,
                y INTEGER NOT NULL,
                placed INTEGER NOT NULL,
                UNIQUE (map_id, image_id)
            ) STRICT""",
            "CREATE INDEX map_points_by_cluster ON map_points (map_id, cluster, image_id)",
        ),
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date. Raises SchemaTooNewError, changing nothing, when it is newer."""
    connection.execute(
        """CREATE TABLE IF NOT EXISTS schema_migrations (
            name TEXT PRIMARY KEY,
            applied REAL NOT NULL
        )"""
    )
    applied = _applied(connection)
    unknown = applied - {migration.name for migration in MIGRATIONS}
    if unknown:
        raise SchemaTooNewError(
            f"this library was made by a newer version (it has {', '.join(sorted(unknown))}); "
            "update the program, or choose another DATA_DIR"
        )
    for migration in MIGRATIONS:
        if migration.name not in applied:
            _apply(connection, migration)


def _applied(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster between the look and the lock.
        if migration.name not in _applied(connection):
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?)", (migration.name, time.time())
            )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
