"""OnnxEncoder: a model folder (config.json, image.onnx, text.onnx, tokenizer.json) on ONNX Runtime.

The layout is that of models/starter: see the MODEL_CARD.md there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from tokenizers import Tokenizer

from mlx_clip.encoder import Pixels, Vectors
from mlx_clip.errors import ModelBrokenError, ModelNotFoundError
from mlx_clip.preprocess import VERSION, pad_to_square

_FILES = ("config.json", "image.onnx", "text.onnx", "tokenizer.json")
# Larger batches of pictures are no faster on a CPU, and each picture holds its activations.
_IMAGE_BATCH = 4
# Long batches pay for the padding of their longest text.
_TEXT_BATCH = 32


class OnnxEncoder:
    """The Encoder over a model folder. Safe to call from several threads.

    Each half of the model is loaded when it is first needed: a crawl never needs the words, and
    with nothing to do it needs neither. Raises ModelNotFoundError when the folder holds no model,
    ModelBrokenError, here or at the first use, when its files do not load.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise ModelNotFoundError(
                f"{folder} holds no model: {', '.join(missing)} missing. "
                "Set CLIP_MODEL=starter, or name a folder with all of " + ", ".join(_FILES)
            )
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self.name = str(config["name"])
            self.dim = int(config["dim"])
            self.image_size = int(config["image"]["size"])
            red, green, blue = config["image"]["background"]
            self._background = (int(red), int(green), int(blue))
            self._mean = np.array(config["image"]["mean"], np.float32)
            self._std = np.array(config["image"]["std"], np.float32)
            self._tokenizer.enable_truncation(int(config["text"]["max_length"]))
            self._tokenizer.enable_padding()
        except Exception as error:  # tokenizers raises types of its own making
            raise _broken(folder, error) from error
        self._folder = folder
        self.space = f"{self.name}@{_revision(folder)}/p{VERSION}"

    @cached_property
    def _image(self) -> onnxruntime.InferenceSession:
        return _session(self._folder / "image.onnx")

    @cached_property
    def _text(self) -> onnxruntime.InferenceSession:
        return _session(self._folder / "text.onnx")

    def preprocess(self, image: Image.Image) -> Pixels:
        """As Encoder.preprocess."""
        return pad_to_square(image, self.image_size, self._background)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """As Encoder.encode_images."""
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(pixels), _IMAGE_BATCH):
            values = pixels[start : start + _IMAGE_BATCH].astype(np.float32) / np.float32(255)
            batch = ((values - self._mean) / self._std).transpose(0, 3, 1, 2)
            (batch_vectors,) = self._image.run(None, {"pixel_values": np.ascontiguousarray(batch)})
            vectors.append(np.asarray(batch_vectors, np.float32))
        return np.concatenate(vectors)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """As Encoder.encode_texts."""
        vectors: list[Vectors] = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(texts), _TEXT_BATCH):
            encoded = self._tokenizer.encode_batch(list(texts[start : start + _TEXT_BATCH]))
            inputs = {
                "input_ids": np.array([text.ids for text in encoded], np.int64),
                "attention_mask": np.array([text.attention_mask for text in encoded], np.int64),
            }
            (batch,) = self._text.run(None, inputs)
            vectors.append(np.asarray(batch, np.float32))
        return np.concatenate(vectors)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
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
    for name in _FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
