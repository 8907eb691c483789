"""`info`: what a model is, and what it runs on here."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlx_clip import tensors
from mlx_clip.checkpoint import Checkpoint
from mlx_clip.command import Commands, add_cache, add_model, add_runtime, load
from mlx_clip.config import SUPPORTED, read_json
from mlx_clip.load import find_checkpoint, user_cache
from mlx_clip.names import DEFAULT, onnx_model_folder
from mlx_clip.runtime import Runtime, choose_runtime

Facts = dict[str, object]


def add(commands: Commands) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "info",
        help="what a model is, and what it runs on here",
        description="Says what a model is and what it runs on here, without reading its weights "
        "into memory; a model of the Hub is downloaded. Without --model: what a model runs on "
        "here, which there are, and where they are kept.",
    )
    add_model(parser, required=False)
    add_runtime(parser)
    add_cache(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit status. Raises EncoderError."""
    if options.model is None:
        facts = _of_machine(options)
    elif folder := onnx_model_folder(options.model):
        facts = _of_onnx_model(folder, options)
    else:
        facts = _of_checkpoint(find_checkpoint(options.model), options)
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:>{width}}: {value}")
    return 0


def _of_machine(options: argparse.Namespace) -> Facts:
    from huggingface_hub import constants

    return {
        **_runtime(choose_runtime(options.runtime, options.precision)),
        "supported": SUPPORTED.removeprefix("Supported are "),
        "to begin with": DEFAULT,
        "downloads": constants.HF_HUB_CACHE,
        "made of them": options.cache or user_cache(),
    }


def _of_checkpoint(checkpoint: Checkpoint, options: argparse.Namespace) -> Facts:
    from mlx_clip.onnx_build import cached_folder, is_complete, space_of

    config, side = checkpoint.config, checkpoint.preprocessing.size
    runtime = choose_runtime(options.runtime, options.precision)
    facts: Facts = {
        "name": checkpoint.name,
        "commit" if checkpoint.commit else "revision": checkpoint.revision,
        "space": space_of(checkpoint, runtime.precision),
        "family": {"clip": "CLIP", "siglip": "SigLIP"}[config.family],
        "parameters": f"{tensors.parameters(config):,}",
        "dimensions": config.dim,
        "input size": f"{side} x {side} pixels",
        "context length": f"{config.text.max_position_embeddings} tokens",
        **_runtime(runtime),
        "files": _files([*checkpoint.weights.files, *checkpoint.small_files]),
        "folder": checkpoint.folder,
    }
    for precision in ("float32", "int8"):
        folder = cached_folder(checkpoint, precision, options.cache or user_cache())
        if is_complete(folder):
            made = _files(path for path in folder.iterdir() if path.is_file())
            facts[f"ONNX, {precision}"] = f"{made}, in {folder}"
            facts |= _cosine(read_json(folder / "config.json"))
    return facts


def _of_onnx_model(folder: Path, options: argparse.Namespace) -> Facts:
    encoder, config = load(options), read_json(folder / "config.json")
    side, text = encoder.image_size, config["text"]
    return {
        "name": encoder.name,
        "space": encoder.space,
        "parameters": f"{_onnx_parameters(folder):,}",
        "dimensions": encoder.dim,
        "input size": f"{side} x {side} pixels",
        "context length": f"{text.get('length', text.get('max_length'))} tokens",
        **_runtime(encoder.runtime),
        "files": _files(path for path in folder.iterdir() if path.is_file()),
        "folder": folder,
        **_cosine(config),
    }


def _onnx_parameters(folder: Path) -> int:
    """How many numbers an ONNX model consists of; those of int8 and their scales alike."""
    import onnx

    graphs = [
        onnx.load(folder / name, load_external_data=False).graph
        for name in ("image.onnx", "text.onnx")
    ]
    return sum(math.prod(tensor.dims) for graph in graphs for tensor in graph.initializer)


def _runtime(runtime: Runtime) -> Facts:
    return {"runtime": runtime, "why": runtime.why}


def _files(paths: Iterable[Path]) -> str:
    sizes = sorted(((path.stat().st_size, path.name) for path in paths), reverse=True)
    listed = ", ".join(f"{name} {_size(size)}" for size, name in sizes)
    return f"{_size(sum(size for size, _ in sizes))} ({listed})"


def _size(count: int) -> str:
    """As the Hub says it, by powers of ten."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.2f} GB"


def _cosine(config: Mapping[str, Any]) -> Facts:
    """How near int8's vectors are to float32's, where that was recorded."""
    cosine = config.get("cosine_to_float32")
    if cosine is None:
        return {}
    said = f"{cosine['pictures']:.4f} for pictures, {cosine['texts']:.4f} for texts"
    return {"cosine to float32": f"at least {said}"}
