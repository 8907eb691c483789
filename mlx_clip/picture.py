"""A picture file, opened as models want it."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mlx_clip.errors import PictureError


def open_picture(file: str | Path | IO[bytes], name: object = None) -> Image.Image:
    """The picture in a file: upright RGB, what is transparent on white, the first of many frames.

    Errors call it `name`, by default its path. Raises PictureError when it cannot be read.
    """
    _register_heif()
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16"):  # Pillow would cut off what is above 255, not scale it
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image)
        return image.convert("RGB")
    except UnidentifiedImageError as error:
        raise PictureError(
            f"{name or file} is no picture, or of a format that Pillow does not read, or damaged"
        ) from error
    except Exception as error:  # Pillow's plugins raise some twenty types and document none
        why = getattr(error, "strerror", None) or error
        raise PictureError(f"{name or file} cannot be used as a picture: {why}") from error


def _register_heif() -> None:
    """HEIC, where pillow-heif is installed; Pillow alone does not read it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()
