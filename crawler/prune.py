"""`--prune`: the library forgets what is gone, once a crawl knows that it is."""

from __future__ import annotations

from collections.abc import Sequence

from library import images, prune
from library.database import Database
from library.prune import Forgotten
from library.thumbnails import Thumbnails

_BATCH = 500


def forget_what_is_gone(
    database: Database,
    thumbnails: Thumbnails,
    walked: Sequence[bytes],
    unreadable: Sequence[bytes],
) -> Forgotten:
    """Forget missing files below the `walked` roots, and every picture that is in no file.

    Below the `unreadable` folders nothing is forgotten. Thumbnails go after the rows: a crawl that
    is killed in between leaves thumbnails of nothing, which the next one finds here.
    """
    with database.transaction() as connection:
        files = prune.forget_missing(connection, walked, unreadable)
    pictures = prune.without_files(database.connection)
    for start in range(0, len(pictures), _BATCH):
        with database.transaction() as connection:
            prune.forget_pictures(connection, pictures[start : start + _BATCH])
    _remove_orphans(database, thumbnails)
    return Forgotten(files, len(pictures))


def _remove_orphans(database: Database, thumbnails: Thumbnails) -> None:
    """Remove the thumbnails of pictures that the library does not know."""
    for hashes in thumbnails.by_folder():
        known = images.ids_of(database.connection, hashes)
        for content_hash in hashes:
            if content_hash not in known:
                thumbnails.remove(content_hash)
