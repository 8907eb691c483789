"""The model of a library: which one it is, loaded and recorded."""

from __future__ import annotations

import sqlite3
from functools import cached_property
from typing import TYPE_CHECKING

from library import meta
from library.errors import SettingsError
from library.meta import KnownEncoder
from library.settings import Settings
from mlx_clip.names import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from mlx_clip import Encoder, Pixels, Runtime, Vectors
    from mlx_clip.encoder import Family


def open_encoder(connection: sqlite3.Connection, settings: Settings) -> Encoder:
    """The model that the settings ask for, which the library records once it has loaded.

    CLIP_MODEL=auto is resolved when a library is made, and stays: a CLIP where the Hub answers,
    else the starter model. Any other name is the user's word. Raises EncoderError.
    """
    from mlx_clip import best_available, load_encoder

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
    known = _asked(connection, settings)
    if known is not None:
        meta.set_encoder(connection, known, KnownEncoder(encoder.name, encoder.space, encoder.dim))
    return encoder


def open_encoder_later(connection: sqlite3.Connection, settings: Settings) -> Encoder:
    """As open_encoder, but a model that is what it was is loaded when it is first needed.

    So a crawl with nothing to do need not load it, nor import what runs it.
    """
    asked = _asked(connection, settings)
    known = None if asked is None else meta.encoder(connection, asked)
    if known is None:
        return open_encoder(connection, settings)
    return _LaterEncoder(known, lambda: open_encoder(connection, settings))


def _asked(connection: sqlite3.Connection, settings: Settings) -> str | None:
    """All that decides which encoder there will be, as a text; None while only loading tells."""
    name = meta.model(connection)
    if name is None or settings.clip_model not in (meta.AUTO, name):
        return None
    model = fingerprint(meta.pinned(connection, name))
    return model and "\n".join((model, settings.clip_runtime, settings.clip_precision))


class _LaterEncoder:
    """An Encoder that knows its space, and loads the model at the first other question."""

    def __init__(self, known: KnownEncoder, load: Callable[[], Encoder]) -> None:
        self.name = known.name
        self.space = known.space
        self.dim = known.dim
        self._load = load

    @cached_property
    def _encoder(self) -> Encoder:
        encoder = self._load()
        if encoder.space != self.space:
            raise SettingsError(
                f"the model {self.name} is not what it was: run the same command again"
            )
        return encoder

    @property
    def family(self) -> Family:
        return self._encoder.family

    @property
    def image_size(self) -> int:
        return self._encoder.image_size

    @property
    def runtime(self) -> Runtime:
        return self._encoder.runtime

    def preprocess(self, image: Image.Image) -> Pixels:
        return self._encoder.preprocess(image)

    def encode_images(self, pixels: Pixels) -> Vectors:
        return self._encoder.encode_images(pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_texts(texts)
