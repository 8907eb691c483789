"""The tokenizers of tests/checkpoints/tokenizer, as a checkpoint's folder has them."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlx_clip.tokenizer import TextTokenizer, load_tokenizer

GOLDEN = Path(__file__).parent / "checkpoints" / "tokenizer"
LAYOUTS = {
    "clip": "clip",
    "clip-openai": "clip",
    "siglip": "siglip",
    "siglip-library": "siglip",
    "siglip2": "siglip2",
}
"""Each layout, and which ids are expected of it."""


def unpack(layout: str, folder: Path) -> Path:
    """The files of a layout, in a folder where nothing else is."""
    folder.mkdir(exist_ok=True)
    for path in (GOLDEN / layout).iterdir():
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return folder


def load(folder: Path, layout: str, vocab_size: int = 5000) -> TextTokenizer:
    """The tokenizer of a folder with a layout's files, of the length that its models have."""
    family: Literal["clip", "siglip"] = "clip" if layout.startswith("clip") else "siglip"
    length = 77 if family == "clip" else 64
    return load_tokenizer(folder, family, length=length, vocab_size=vocab_size)


@cache
def golden(layout: str) -> tuple[list[str], NDArray[np.int64]]:
    """Texts, and the ids that the reference gives them."""
    ids = np.load(GOLDEN / "expected.npz")[LAYOUTS[layout]].astype(np.int64)
    texts = json.loads(gzip.decompress((GOLDEN / "texts.json.gz").read_bytes()))
    return texts[: len(ids)], ids
