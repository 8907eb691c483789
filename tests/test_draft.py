"""A JPEG decoded at a fraction of its size has the vector of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench.corpora import twelve_megapixel_photos
from library import photos
from library.settings import load_settings
from mlx_clip import Encoder

LEAST_COSINE = 0.999


def drafted(path: Path, least: int) -> Image.Image:
    """As the crawl decodes it."""
    with path.open("rb") as stream:
        header = photos.read_header(stream, least, load_settings({}).max_image_megapixels)
        assert header.megapixels < header.width * header.height / 1e6, "it was not drafted"
        return photos.decode(header, least, 0).image


def test_draft_decoding_does_not_move_a_vector(encoder: Encoder, tmp_path: Path) -> None:
    least = max(2 * encoder.image_size, photos.THUMBNAIL_SIZE)
    for path in sorted(twelve_megapixel_photos(tmp_path / "photos", 6).iterdir()):
        with Image.open(path) as whole:
            full = encoder.preprocess(whole.convert("RGB"))
        both = encoder.encode_images(np.stack([full, encoder.preprocess(drafted(path, least))]))
        assert both[0] @ both[1] >= LEAST_COSINE
