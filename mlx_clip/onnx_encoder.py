"""OnnxEncoder: a model folder (config.json, image.onnx, text.onnx, tokenizer.json) on ONNX Runtime.

The layout is that of models/starter (see the MODEL_CARD.md there) and of the folders that
onnx_build.py makes from checkpoints.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from mlx_clip.encoder import Pixels, Vectors
from mlx_clip.errors import EncoderError, ModelBrokenError, ModelNotFoundError
from mlx_clip.names import PREPROCESSING
from mlx_clip.preprocess import Preprocessing
from mlx_clip.priority import lower_priority
from mlx_clip.runtime import Runtime
from mlx_clip.together import Together
from mlx_clip.tokenizer import TextTokenizer

FILES = ("config.json", "image.onnx", "text.onnx", "tokenizer.json")
_CORES = os.cpu_count() or 1
# Larger batches of pictures are no faster on a CPU, and each picture holds its activations.
_IMAGE_BATCH = 4
# Longer batches are hardly faster, pay for the padding of their longest text, and a query would
# wait for them.
_TEXT_BATCH = 8


class OnnxEncoder:
    """The Encoder over a model folder. Safe to call from several threads.

    Each half of the model is loaded when it is first needed: a crawl never needs the words, and
    with nothing to do it needs neither. Raises ModelNotFoundError when the folder holds no model,
    ModelBrokenError, here or at the first use, when its files do not load.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ModelNotFoundError(
                f"{folder} holds no model: {', '.join(missing)} missing. "
                "Set CLIP_MODEL=starter, or name a folder with all of " + ", ".join(FILES)
            )
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._preprocessing = Preprocessing.from_json(config["image"])
            self._tokenizer = TextTokenizer.from_config(folder / "tokenizer.json", config["text"])
            self.name = str(config["name"])
            self.family = self._tokenizer.family
            self.dim = int(config["dim"])
            self.space = str(config.get("space") or self._own_space(folder))
        except EncoderError:
            raise
        except Exception as error:  # a config can be wrong in many ways
            raise _broken(folder, error) from error
        self.image_size = self._preprocessing.size
        self.runtime = runtime
        self._folder = folder
        self._together = Together(self._encode_texts)

    @cached_property
    def _image(self) -> onnxruntime.InferenceSession:
        # A batch a thread: threads that share each operator wait for each other at its end.
        return open_session(self._folder / "image.onnx", threads=1)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_CORES, "onnx-encoder", lower_priority)

    @cached_property
    def _text(self) -> onnxruntime.InferenceSession:
        return open_session(self._folder / "text.onnx")

    @cached_property
    def _reads_mask(self) -> bool:
        return "attention_mask" in [given.name for given in self._text.get_inputs()]

    def preprocess(self, image: Image.Image) -> Pixels:
        """As Encoder.preprocess."""
        return self._preprocessing(image)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """As Encoder.encode_images."""
        size = max(1, min(_IMAGE_BATCH, -(-len(pixels) // _CORES)))
        batches = [pixels[start : start + size] for start in range(0, len(pixels), size)]
        # One picture is somebody's query: the pool is for those who fill it.
        encoded = map(self._encode, batches) if len(batches) == 1 else self._in_pool(batches)
        return np.concatenate([np.empty((0, self.dim), np.float32), *encoded])

    def _in_pool(self, batches: list[Pixels]) -> Iterator[Vectors]:
        return self._pool.map(self._encode, batches)

    def _encode(self, pixels: Pixels) -> Vectors:
        values = self._preprocessing.normalise(pixels)
        return self._run(self._image, {"pixel_values": values})

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """As Encoder.encode_texts."""
        # A batch at a time: between two of a long list, who has a single query gets in.
        batches = [texts[i : i + _TEXT_BATCH] for i in range(0, len(texts), _TEXT_BATCH)]
        return np.concatenate([np.empty((0, self.dim), np.float32), *map(self._together, batches)])

    def _encode_texts(self, texts: Sequence[str]) -> Vectors:
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(texts), _TEXT_BATCH):
            ids, mask = self._tokenizer.encode(texts[start : start + _TEXT_BATCH])
            inputs = {"input_ids": ids}
            if self._reads_mask:
                inputs["attention_mask"] = mask
            vectors.append(self._run(self._text, inputs))
        return np.concatenate(vectors)

    def _run(self, session: onnxruntime.InferenceSession, inputs: dict[str, Any]) -> Vectors:
        try:
            (vectors,) = session.run(None, inputs)
        except Exception as error:  # as in open_session
            raise EncoderError(
                f"the model in {self._folder} failed: {error}. If memory is short, close other "
                "programs; else copy its files again"
            ) from error
        return np.asarray(vectors, np.float32)

    def _own_space(self, folder: Path) -> str:
        return f"{self.name}@{_revision(folder)}/p{PREPROCESSING}"


def open_session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Half of a model, ready to run on the CPU with so many threads an operator; 0: all cores.

    Raises ModelBrokenError.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # its warnings speak of graph nodes, to nobody here
    # Threads that spin between two operators take the cores from whoever decodes the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises types of its own making
        raise _broken(path.parent, error) from error


def _broken(folder: Path, error: Exception) -> ModelBrokenError:
    return ModelBrokenError(f"the model in {folder} does not load: {error}. Copy its files again")


def _revision(folder: Path) -> str:
    """A short hash over everything that the vectors depend on."""
    digest = hashlib.blake2b(digest_size=6)
    for name in FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
