"""The reference tokenizers: open_clip's, and transformers' as set by the Hub's folders."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import SiglipTokenizer

Ids = NDArray[np.int64]
Reference = Callable[[Sequence[str]], Ids]

# google/siglip-base-patch16-224.
_SPECIAL = {
    "lstrip": True,
    "normalized": True,
    "rstrip": True,
    "single_word": False,
    "special": True,
}
SIGLIP = {
    "added_tokens_decoder": {
        "1": {"content": "</s>", **_SPECIAL},
        "2": {"content": "<unk>", **_SPECIAL},
    },
    "additional_special_tokens": [],
    "clean_up_tokenization_spaces": True,
    "do_lower_case": True,
    "eos_token": "</s>",
    "model_input_names": ["input_ids"],
    "model_max_length": 64,
    "pad_token": "</s>",
    "processor_class": "SiglipProcessor",
    "sp_model_kwargs": {},
    "tokenizer_class": "SiglipTokenizer",
    "unk_token": "<unk>",
}
# google/siglip2-base-patch32-256.
SIGLIP2: dict[str, Any] = {
    "add_bos_token": False,
    "add_eos_token": True,
    "padding_side": "right",
    "model_max_length": 64,
}


def open_clip_tokenizer(merges: Path | None = None) -> Any:
    """A SimpleTokenizer of open_clip's file, with the merges of its own or of a file like it."""
    package = importlib.util.find_spec("open_clip")
    assert package is not None and package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "tokenizer.py"
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves the file of merges to be closed by Python
        spec.loader.exec_module(module)
        return module.SimpleTokenizer() if merges is None else module.SimpleTokenizer(str(merges))


def write_openai(tokenizer: Any, folder: Path) -> None:
    """vocab.json and merges.txt, as the Hub's folders have them."""
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocab = {names.get(token, token): id_ for token, id_ in tokenizer.encoder.items()}
    merges = "\n".join(" ".join(pair) for pair in tokenizer.bpe_ranks)
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")


def siglip_tokenizer(folder: Path, settings: Mapping[str, Any] = SIGLIP) -> Reference:
    """The SiglipTokenizer of a folder with a spiece.model, whose settings are written there."""
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return padded(SiglipTokenizer.from_pretrained(folder))


def padded(tokenizer: Any) -> Reference:
    """How the processors of SigLIP and SigLIP 2 call their tokenizers."""

    def ids(texts: Sequence[str]) -> Ids:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of texts that end in an end token
            encoded = tokenizer(
                list(texts),
                padding="max_length",
                truncation=True,
                max_length=64,
                return_tensors="np",
            )
        return np.asarray(encoded["input_ids"], np.int64)

    return ids
