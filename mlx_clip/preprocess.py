"""From a picture to a model's input. Any change here changes the space: raise VERSION."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mlx_clip.encoder import Pixels

VERSION = 1


# A square of the long side would be 1.6 GB for a 20,000 px panorama.
_LARGEST_SQUARE = 8


def pad_to_square(image: Image.Image, size: int, background: tuple[int, int, int]) -> Pixels:
    """An RGB picture, centred on a square and scaled bicubically: uint8 (size, size, 3)."""
    scale = _LARGEST_SQUARE * size / max(image.size)
    if scale < 1:
        fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(fitted, Image.Resampling.BICUBIC)
    side = max(image.size)
    square = Image.new("RGB", (side, side), background)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))
