"""`python -m bench.bound_child decode|encode FOLDER`: one half of a crawl, alone, on all cores.

`decode` reads every JPEG of FOLDER into the model's input as the crawler does, and makes nothing
else of it: no hash, no thumbnail, no row. `encode` encodes as many pictures that are ready in
memory. Which model, the settings say (CLIP_MODEL, ...). Prints the seconds that the work took; what
the process took beyond them was its start.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from library import photos
from library.settings import load_settings
from mlx_clip import Encoder, Pixels, load_encoder


def main(kind: str, folder: Path) -> None:
    """Do the one or the other."""
    settings = load_settings(os.environ)
    encoder = load_encoder(
        settings.clip_model,
        runtime=settings.clip_runtime,
        precision=settings.clip_precision,
        cache=settings.model_cache,
    )
    paths = sorted(folder.glob("*.jpg"))
    if kind == "decode":
        started = time.monotonic()
        _decode(encoder, paths)
    else:
        side = encoder.image_size
        pixels = np.random.default_rng(0).integers(0, 256, (len(paths), side, side, 3), np.uint8)
        encoder.encode_images(pixels[:1])
        started = time.monotonic()
        encoder.encode_images(pixels)
    print(time.monotonic() - started)


def _decode(encoder: Encoder, paths: list[Path]) -> None:
    least = max(2 * encoder.image_size, photos.THUMBNAIL_SIZE)

    def decode(path: Path) -> Pixels:
        with path.open("rb") as stream:
            header = photos.read_header(stream, least, max_megapixels=64)
            photo = photos.decode(header, least, path.stat().st_size)
        return encoder.preprocess(photo.image)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for pixels in pool.map(decode, paths):
            assert pixels.shape == (encoder.image_size, encoder.image_size, 3)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
