"""From a picture to a model's input. Any change here changes the space: raise VERSION."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mlx_clip.encoder import Pixels

VERSION = 1


def pad_to_square(image: Image.Image, size: int, background: tuple[int, int, int]) -> Pixels:
    """An RGB picture, scaled bicubically to fit and centred on a square: uint8 (size, size, 3).

    Scaling before padding gives the same pixels as padding first, but for the border between
    picture and ground, and needs no square of the long side (1.6 GB for a 20,000 px panorama).
    """
    scale = size / max(image.size)
    fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    square = Image.new("RGB", (size, size), background)
    square.paste(
        image.resize(fitted, Image.Resampling.BICUBIC),
        ((size - fitted[0]) // 2, (size - fitted[1]) // 2),
    )
    return np.asarray(square)
