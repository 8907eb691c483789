"""What the commands of `python -m mlx_clip` share: their options, and a progress bar."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias, TypeVar

from mlx_clip.encoder import Encoder
from mlx_clip.load import load_encoder
from mlx_clip.names import DEFAULT, STARTER
from mlx_clip.runtime import PRECISIONS, RUNTIMES

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_Item = TypeVar("_Item")


def add_model(parser: argparse.ArgumentParser, *, required: bool = True, onnx: bool = True) -> None:
    """--model; `onnx` where the starter model and its like will do, which have no checkpoint."""
    ready = f"`{STARTER}`, " if onnx else ""
    parser.add_argument(
        "--model",
        metavar="NAME",
        required=required,
        help=f"{ready}the path of a folder that holds a model, or a name on the Hugging Face Hub "
        f"such as {DEFAULT}, with @REVISION behind it if you like; downloaded if need be",
    )


def add_runtime(parser: argparse.ArgumentParser) -> None:
    """--runtime and --precision, as load_encoder takes them."""
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="what the model runs on; auto is MLX where Metal or CUDA is, else ONNX Runtime",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="auto is float16 for MLX on a GPU, else float32; int8 is for ONNX Runtime: smaller, "
        "faster, and a little less exact",
    )


def add_cache(parser: argparse.ArgumentParser) -> None:
    """--cache."""
    parser.add_argument(
        "--cache",
        metavar="FOLDER",
        type=Path,
        help="where the models made for ONNX Runtime are kept; by default in the user's cache",
    )


def load(options: argparse.Namespace) -> Encoder:
    """The encoder that all these options ask for. Raises EncoderError."""
    return load_encoder(
        options.model, runtime=options.runtime, precision=options.precision, cache=options.cache
    )


def progress(items: Iterable[_Item], what: str, total: int) -> Iterable[_Item]:
    """The same items, with a bar on a terminal for whoever waits."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(
        items, what, total, console=console, transient=True, disable=not console.is_terminal
    )
