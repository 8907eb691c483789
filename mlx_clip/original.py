"""The interface of the first mlx_clip (https://github.com/harperreed/mlx_clip), kept."""

from __future__ import annotations

from pathlib import Path

from mlx_clip.load import load_encoder
from mlx_clip.picture import open_picture


class mlx_clip:  # noqa: N801, its name is the interface
    """A model that gives lists of floats: `mlx_clip("openai/clip-vit-base-patch32")`."""

    def __init__(self, model: str) -> None:
        self.encoder = load_encoder(model)

    def image_encoder(self, image_path: str | Path) -> list[float]:
        """The L2-normalised vector of a picture file. Raises PictureError."""
        pixels = self.encoder.preprocess(open_picture(image_path))
        return [float(value) for value in self.encoder.encode_images(pixels[None])[0]]

    def text_encoder(self, text: str) -> list[float]:
        """The L2-normalised vector of a text. Raises EmptyTextError or TextTooLongError."""
        return [float(value) for value in self.encoder.encode_texts([text])[0]]
