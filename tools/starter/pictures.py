"""Pictures as the starter model sees them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlx_clip.preprocess import Preprocessing
from tools.starter.corpora import Captioned

SIZE = 260
"""The side that EfficientNet-Lite2 was trained at."""

BACKGROUND = (255, 255, 255)
MEAN, SCALE = 127, 128
"""A pixel goes in as (value - MEAN) / SCALE: what the weights were trained with."""

_AT_ONCE = 16


def batches(pictures: Sequence[Captioned], size: int = SIZE) -> Iterator[NDArray[np.uint8]]:
    """The pictures in order as uint8 (n, size, size, 3), some at a time; decodes ahead."""
    with ThreadPoolExecutor(2) as pool:
        ahead = [pool.submit(_pixels, picture, size) for picture in pictures[:_AT_ONCE]]
        for start in range(0, len(pictures), _AT_ONCE):
            now, following = ahead, pictures[start + _AT_ONCE : start + 2 * _AT_ONCE]
            ahead = [pool.submit(_pixels, picture, size) for picture in following]
            yield np.stack([future.result() for future in now])


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (n, h, w, 3) -> the float32 (n, 3, h, w) that the network takes."""
    values = (pixels.astype(np.float32) - MEAN) / SCALE
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _pixels(picture: Captioned, size: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(picture.read())) as opened:
        image = opened.convert("RGBA")
    white = Image.new("RGBA", image.size, BACKGROUND)
    white.alpha_composite(image)
    mean, std = (MEAN / 255,) * 3, (SCALE / 255,) * 3
    padded = Preprocessing(size, "pad", Image.Resampling.BICUBIC, mean, std, BACKGROUND)
    return padded(white.convert("RGB"))
