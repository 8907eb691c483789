"""`make golden`: the checkpoints beside this file, and the vectors that their references give.

Needs PyTorch and transformers, which the tests that read these files do not.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mlx_clip.load import find_checkpoint
from parity.checkpoints import KINDS
from parity.reference import picture_vectors, text_vectors

HERE = Path(__file__).parent
TEXTS = ("a photo of the dog in snow", "Two RED cars!", "x", "bokeh, 50mm f/1.8 " * 20)
SHAPES = ((64, 48), (40, 90), (32, 32), (47, 46))


def main() -> None:
    """Write every kind anew."""
    random = np.random.default_rng(1)
    pictures = [random.integers(0, 256, (high, wide, 3), np.uint8) for wide, high in SHAPES]
    for kind, write in KINDS.items():
        folder = HERE / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        model = write(folder)
        checkpoint = find_checkpoint(str(folder))
        ids = checkpoint.tokenizer(TEXTS)
        golden: dict[str, Any] = {
            "of_pictures": picture_vectors(model, folder, [Image.fromarray(p) for p in pictures]),
            "of_texts": text_vectors(model, ids),
            "texts": np.array(TEXTS),
            "pixels": np.stack([checkpoint.preprocessing(Image.fromarray(p)) for p in pictures]),
            **{f"picture{number}": picture for number, picture in enumerate(pictures)},
        }
        np.savez_compressed(folder / "golden.npz", **golden)


if __name__ == "__main__":
    main()
