"""`convert`: a checkpoint of any layout to one model.safetensors under transformers' names."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any

from mlx_clip.checkpoint import TOKENIZER_FILES, Checkpoint
from mlx_clip.command import Commands, add_model
from mlx_clip.errors import EncoderError
from mlx_clip.load import find_checkpoint
from mlx_clip.safetensors_file import DTYPES, write_safetensors
from mlx_clip.tensors import text_shapes, vision_shapes
from mlx_clip.transformers_config import model_config, preprocessor_config

# What trains and scores a model: not needed for vectors, but transformers reads it.
_SCORING = ("logit_scale", "logit_bias")


def add(commands: Commands) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "convert",
        help="a checkpoint of any layout to one safetensors file that MLX loads as it is",
        description="Writes a folder with model.safetensors, config.json, "
        "preprocessor_config.json and the tokenizer, from safetensors in one or several files, "
        "pytorch_model.bin, or open_clip's layout. --model takes the folder's path afterwards, and "
        "so does transformers.",
    )
    add_model(parser, onnx=False)
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder to write; it is made")
    parser.add_argument(
        "--dtype",
        choices=DTYPES,
        default="float32",
        help="float16 is half the size, and what MLX computes with on a GPU anyhow; float32, which "
        "is the default, gives exactly the vectors of the original",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit status. Raises EncoderError."""
    out: Path = options.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise EncoderError(f"{out} is there already: name a folder that is not, or an empty one")
    if not out.absolute().parent.is_dir():
        raise EncoderError(f"{out} cannot be made: there is no folder {out.absolute().parent}")
    convert(find_checkpoint(options.model), out, options.dtype)
    size = (out / "model.safetensors").stat().st_size
    print(f"{out}: model.safetensors of {size / 1e6:,.1f} MB, {options.dtype}")
    return 0


def convert(checkpoint: Checkpoint, out: Path, dtype: str) -> None:
    """Write a checkpoint into `out`, whole or not at all; one tensor is in memory at a time.

    Raises WeightsError or ShapeError when it is broken, EncoderError when there is no room.
    """
    part = out.absolute().with_name(f"{out.absolute().name}.{os.getpid()}.part")
    try:
        part.mkdir()
        _write(checkpoint, part, dtype)
        os.replace(part, out)
    except OSError as error:
        raise EncoderError(
            f"{out} could not be written: {error.strerror}. Make room there, or name another folder"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(checkpoint: Checkpoint, folder: Path, dtype: str) -> None:
    tensors, config = checkpoint.tensors, checkpoint.config
    shapes = vision_shapes(config) | text_shapes(config)
    shapes |= {name: tensors.shape(name) for name in _SCORING if name in tensors}
    write_safetensors(folder / "model.safetensors", tensors, shapes, dtype)
    _write_json(folder / "config.json", model_config(config, dtype))
    said = preprocessor_config(checkpoint.preprocessing, config.family)
    _write_json(folder / "preprocessor_config.json", said)
    for name in TOKENIZER_FILES:
        if (checkpoint.folder / name).is_file():
            shutil.copyfile(checkpoint.folder / name, folder / name)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
