"""A perceptual hash: 64 bits of which few change when a picture is resized, recompressed or lit.

The difference hash (dHash: Krawetz, "Kind of Like That", 2013): the picture as 9 x 8 grey pixels,
and a bit for each that says whether its right neighbour is brighter. Here it has to be brighter by
more than the noise of a JPEG, so that flat parts have no bits that come and go.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

_SIZE = (9, 8)
_NOISE = 2  # levels of 255
_DRAFT = (72, 64)  # eight times the size: libjpeg decodes a thumbnail at a quarter or an eighth


def reduced(image: Image.Image) -> Image.Image:
    """An RGB picture as the few pixels that its hash is made of, each a mean of what it covers."""
    return image.resize(_SIZE, Image.Resampling.BOX)


def perceptual_hash(pixels: Image.Image) -> int:
    """The hash of what `reduced` gives, as the signed integer of 64 bits that SQLite stores."""
    grey = np.asarray(pixels.convert("L"), np.int16)
    rises = grey[:, 1:] > grey[:, :-1] + _NOISE
    return int.from_bytes(np.packbits(rises).tobytes(), "big", signed=True)


def of_thumbnail(path: Path) -> int | None:
    """The hash of the picture that a thumbnail was made of; None when there is none that opens."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", _DRAFT)
            return perceptual_hash(reduced(image.convert("RGB")))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
