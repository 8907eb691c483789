"""A checkpoint: a model as it is published, before a runtime has it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlx_clip import tensors
from mlx_clip.config import ModelConfig, read_config
from mlx_clip.names import PREPROCESSING
from mlx_clip.open_clip import OpenClipTensors, is_open_clip
from mlx_clip.preprocess import Preprocessing, read_preprocessing
from mlx_clip.tensors import Tensors
from mlx_clip.tokenizer import TextTokenizer, load_tokenizer
from mlx_clip.weights import Weights, open_weights

CONFIG_FILES = (
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
)
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
)


@dataclass(frozen=True)
class Checkpoint:
    """A folder with config, weights and tokenizer. The weights are read when they are needed."""

    name: str
    folder: Path
    commit: str | None
    """The commit of the Hub that it is; None for a folder of the user's."""
    config: ModelConfig
    preprocessing: Preprocessing

    @property
    def space(self) -> str:
        """As Encoder.space."""
        return f"{self.name}@{self.revision}/p{PREPROCESSING}"

    @cached_property
    def revision(self) -> str:
        """The commit, or a hash over all that the vectors depend on."""
        if self.commit is not None:
            return self.commit
        digest = hashlib.blake2b(self.weights.digest().encode(), digest_size=6)
        for path in self.small_files:
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    @property
    def small_files(self) -> list[Path]:
        """Everything but the weights."""
        paths = [self.folder / name for name in (*CONFIG_FILES, *TOKENIZER_FILES)]
        return [path for path in paths if path.is_file()]

    @cached_property
    def weights(self) -> Weights:
        """The weights as they lie in their files. Raises WeightsError."""
        return open_weights(self.folder)

    @cached_property
    def tensors(self) -> Tensors:
        """The weights under transformers' names. Raises WeightsError or ShapeError."""
        found: Tensors = self.weights
        if is_open_clip(found):
            found = OpenClipTensors(found)
        tensors.check(found, self.config, self.folder)
        return found

    @cached_property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer. Raises TokenizerError."""
        text = self.config.text
        return load_tokenizer(
            self.folder,
            self.config.family,
            length=text.max_position_embeddings,
            vocab_size=text.vocab_size,
        )


def open_checkpoint(folder: Path, name: str, commit: str | None = None) -> Checkpoint:
    """The checkpoint in a folder.

    Raises ConfigError when there is none, UnsupportedModelError when it is of another kind.
    """
    config = read_config(folder)
    return Checkpoint(name, folder, commit, config, read_preprocessing(folder, config))
