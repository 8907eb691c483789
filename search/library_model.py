"""The model that a library's vectors are of, for what is done without a crawl or a site."""

from __future__ import annotations

import sqlite3

from library import meta
from library.settings import Settings
from library.spaces import Space
from mlx_clip import Encoder, load_encoder
from search.errors import MapError

_EMPTY = "This library has no pictures yet: python -m crawler FOLDER reads some."


def library_space(connection: sqlite3.Connection) -> Space:
    """The space in use. Raises MapError in a library that has none."""
    space = meta.space(connection)
    if space is None:
        raise MapError(_EMPTY)
    return space


def library_encoder(connection: sqlite3.Connection, settings: Settings) -> Encoder:
    """The model in use. Raises MapError in a library that has none, EncoderError as it loads."""
    name = meta.model(connection)
    if name is None:
        raise MapError(_EMPTY)
    encoder = load_encoder(
        meta.pinned(connection, name),
        runtime=settings.clip_runtime,
        precision=settings.clip_precision,
        cache=settings.model_cache,
    )
    if encoder.space != library_space(connection).key:
        raise MapError(f"The model {name} is not what the library was read with: crawl it again.")
    return encoder
