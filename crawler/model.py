"""The model of a library: which one it is, loaded and recorded."""

from __future__ import annotations

import sqlite3

from library import meta
from library.settings import Settings
from mlx_clip import Encoder, best_available, load_encoder


def open_encoder(connection: sqlite3.Connection, settings: Settings) -> Encoder:
    """The model that the settings ask for, which the library records once it has loaded.

    CLIP_MODEL=auto is resolved when a library is made, and stays: a CLIP where the Hub answers,
    else the starter model. Any other name is the user's word. Raises EncoderError.
    """
    name = settings.clip_model
    if name == meta.AUTO:
        name = meta.model(connection) or best_available()
    encoder = load_encoder(
        meta.pinned(connection, name),
        runtime=settings.clip_runtime,
        precision=settings.clip_precision,
        cache=settings.model_cache,
    )
    if (meta.model(connection), meta.space_key(connection)) != (name, encoder.space):
        meta.set_model(connection, name, encoder.space)
    return encoder
