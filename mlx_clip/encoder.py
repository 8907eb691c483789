"""The Encoder protocol: what every model looks like from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlx_clip.runtime import Runtime

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]
Family = Literal["clip", "siglip", "other"]


class Encoder(Protocol):
    """Pictures and words in one vector space, compared by cosine similarity."""

    @property
    def name(self) -> str:
        """The model's name, as people say it."""

    @property
    def family(self) -> Family:
        """How it was trained: as CLIP, as SigLIP, or in neither way, as the starter model."""

    @property
    def space(self) -> str:
        """Model, revision and preprocessing version: vectors compare within one space only."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def image_size(self) -> int:
        """The side of the square of pixels that the model sees."""

    @property
    def runtime(self) -> Runtime:
        """What it runs on, and why."""

    def preprocess(self, image: Image.Image) -> Pixels:
        """An upright RGB picture as the model's input: uint8 (image_size, image_size, 3)."""

    def encode_images(self, pixels: Pixels) -> Vectors:
        """uint8 (n, image_size, image_size, 3) -> L2-normalised float32 (n, dim)."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """n texts -> L2-normalised float32 (n, dim).

        Raises EmptyTextError or TextTooLongError. A text of more tokens than the model reads is
        cut off, as the reference implementations do.
        """
