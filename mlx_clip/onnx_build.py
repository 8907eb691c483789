"""From a checkpoint to a model folder for ONNX Runtime, made once and kept in the model cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image, ImageDraw

from mlx_clip.checkpoint import Checkpoint
from mlx_clip.encoder import Pixels
from mlx_clip.errors import EncoderError
from mlx_clip.onnx_encoder import OnnxEncoder
from mlx_clip.onnx_graph import write_image_graph, write_text_graph
from mlx_clip.runtime import Runtime

_VERSION = 2  # of what is written here: raise it, and every model is made anew
_FLOAT32 = Runtime("onnx", "the CPU", "float32", "int8 is compared with it")
_PROBE_TEXTS = (
    "a photo of a cat",
    "two people on a beach at sunset",
    "a red car",
    "surprised",
    "bokeh",
    "a screenshot of a chat",
    "mountains under snow",
    "a birthday cake with candles",
)


def onnx_folder(checkpoint: Checkpoint, precision: str, cache: Path) -> Path:
    """The model folder of a checkpoint, made when it is not in the cache yet.

    `precision` is float32 or int8. Raises WeightsError, ShapeError or TokenizerError when the
    checkpoint is broken, EncoderError when there is no room; nothing half-written stays.
    """
    folder = cached_folder(checkpoint, precision, cache)
    if is_complete(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not is_complete(folder):
                _build(checkpoint, precision, folder)
    except OSError as error:
        raise EncoderError(
            f"{checkpoint.name} could not be made ready in {folder.parent}: {error.strerror}. "
            "Make room there, or set MODEL_CACHE to another folder"
        ) from error
    return folder


def cached_folder(checkpoint: Checkpoint, precision: str, cache: Path) -> Path:
    """Where the model folder of a checkpoint is, or will be."""
    return cache / "onnx" / f"{_slug(checkpoint)}-{precision}-v{_VERSION}"


def is_complete(folder: Path) -> bool:
    """Whether a model folder has all its files, each of the size it had when it was made."""
    try:
        sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _build(checkpoint: Checkpoint, precision: str, folder: Path) -> None:
    _say(f"Making {checkpoint.name} ready for ONNX Runtime ({precision}); this is done once.")
    # A build that was killed leaves its folder, and nobody else builds under this lock.
    for left in folder.parent.glob(f"{folder.name}.*.part"):
        shutil.rmtree(left)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        _write(checkpoint, precision, part)
        if precision == "int8":
            _compare(checkpoint, part)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(checkpoint: Checkpoint, precision: str, folder: Path) -> None:
    tensors, config = checkpoint.tensors, checkpoint.config
    checkpoint.tokenizer.save(folder)
    for write, name in ((write_image_graph, "image.onnx"), (write_text_graph, "text.onnx")):
        write(folder / name, config, tensors, precision == "int8")
    _write_config(
        folder,
        {
            "name": checkpoint.name,
            "space": space_of(checkpoint, precision),
            "dim": config.dim,
            "precision": precision,
            "image": checkpoint.preprocessing.as_json(),
            "text": checkpoint.tokenizer.config(),
            "files": {path.name: path.stat().st_size for path in folder.iterdir()},
        },
    )


def space_of(checkpoint: Checkpoint, precision: str) -> str:
    """As Encoder.space: int8's vectors differ from those of the other precisions."""
    return checkpoint.space + ("/int8-by-row" if precision == "int8" else "")


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    text = json.dumps(config, indent=1)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def _compare(checkpoint: Checkpoint, folder: Path) -> None:
    """Record, and say, how near int8's vectors are to those of float32."""
    exact = folder / "float32"
    exact.mkdir()
    _write(checkpoint, "float32", exact)
    int8 = OnnxEncoder(folder, _FLOAT32)
    float32 = OnnxEncoder(exact, _FLOAT32)
    pixels = np.stack([int8.preprocess(picture) for picture in _probe_pictures()])
    of_pictures = (int8.encode_images(pixels) * float32.encode_images(pixels)).sum(1)
    of_texts = (int8.encode_texts(_PROBE_TEXTS) * float32.encode_texts(_PROBE_TEXTS)).sum(1)
    del int8, float32
    shutil.rmtree(exact)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    cosine = {"pictures": float(of_pictures.min()), "texts": float(of_texts.min())}
    _write_config(folder, {**config, "cosine_to_float32": cosine})
    _say(
        "Least cosine similarity to float32: "
        f"{cosine['pictures']:.4f} for pictures, {cosine['texts']:.4f} for texts."
    )


def _probe_pictures() -> list[Image.Image]:
    """Pictures to compare with, always the same: shapes on gradients, with some noise."""
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(8):
        corners = random.integers(0, 256, (2, 2, 3), np.uint8)
        image = Image.fromarray(corners).resize((320, 240), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(image)
        for _ in range(6):
            left, top, wide, high = (int(number) for number in random.integers(10, 160, 4))
            draw.ellipse((left, top, left + wide, top + high), tuple(random.integers(0, 256, 3)))
        noise = random.normal(0, 12, (240, 320, 3))
        pixels: Pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
        pictures.append(Image.fromarray(pixels))
    return pictures


def _slug(checkpoint: Checkpoint) -> str:
    """A name for the checkpoint's folder: legible, and another for another checkpoint."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "--", checkpoint.name).strip(".-") or "model"
    return f"{name[:60]}-{checkpoint.commit or _fingerprint(checkpoint)}"


def _fingerprint(checkpoint: Checkpoint) -> str:
    """Which files a folder of the user's holds, without reading hundreds of megabytes."""
    digest = hashlib.blake2b(digest_size=8)
    for path in [*checkpoint.small_files, *checkpoint.weights.files]:
        status = path.stat()
        digest.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
