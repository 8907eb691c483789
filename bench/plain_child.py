"""`python -m bench.plain_child FOLDER IMAGE_ONNX DATA`: the plain pipeline, one picture at a time.

Open, decode in full, scale, encode, insert: what a first version of such a program does, with a get
and an add on ChromaDB for every picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import chromadb
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

_SIDE = 224
_MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)
_STD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)


def main(folder: Path, image_onnx: Path, data: Path) -> None:
    """Index every JPEG of a folder."""
    session = onnxruntime.InferenceSession(image_onnx, providers=["CPUExecutionProvider"])
    client = chromadb.PersistentClient(data, chromadb.config.Settings(anonymized_telemetry=False))
    collection = client.get_or_create_collection("pictures", embedding_function=None)
    for path in sorted(folder.glob("*.jpg")):
        if collection.get(ids=[str(path)])["ids"]:
            continue
        (vectors,) = session.run(None, {"pixel_values": _model_input(path)})
        collection.add(ids=[str(path)], embeddings=vectors)
    print(collection.count())


def _model_input(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = _SIDE / min(image.size)
    wide, high = (max(_SIDE, int(side * scale)) for side in image.size)
    left, top = (wide - _SIDE) // 2, (high - _SIDE) // 2
    image = image.resize((wide, high), Image.Resampling.BICUBIC)
    image = image.crop((left, top, left + _SIDE, top + _SIDE))
    values = (np.asarray(image, np.float32) / 255 - _MEAN) / _STD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis], np.float32)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
