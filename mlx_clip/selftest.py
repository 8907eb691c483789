"""`selftest`: whether MLX and ONNX Runtime give the same vectors for a model's real weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlx_clip.checkpoint import Checkpoint
from mlx_clip.command import Commands, add_cache, add_model, progress
from mlx_clip.encoder import Encoder
from mlx_clip.errors import InputError, PictureError, RuntimeChoiceError
from mlx_clip.load import find_checkpoint, load_encoder
from mlx_clip.picture import open_picture
from mlx_clip.runtime import Runtime

LEAST = 0.9999
EXIT_PASSED, EXIT_FAILED = 0, 1

_SAMPLES = Path(__file__).parent.parent / "samples"
_BATCH = 16
TEXTS = (
    "a photo of a cat",
    "two dogs at a window",
    "the Eiffel Tower at dusk",
    "a bowl of ripe strawberries",
    "an old steam engine, black and white",
    "surprised",
    "bokeh",
    "a screenshot of a chat with many messages",
    "a hand-drawn diagram of the water cycle with arrows between clouds, rain, rivers and the sea",
    "3 red balloons & 1 blue one!",
    "it's raining; don't forget the umbrella",
    "Ein Igel im Laub",
    "une tasse de café",
    "雪山と湖",
    "🎂🎉",
    "word " * 100,
)


@dataclass(frozen=True)
class Cosines:
    """How alike two encoders' vectors are, of pictures and of texts."""

    pictures: NDArray[np.float32]
    texts: NDArray[np.float32]

    @property
    def least(self) -> float:
        """The worst of all."""
        return float(min(self.pictures.min(), self.texts.min()))


def add(commands: Commands) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "selftest",
        help="whether MLX and ONNX Runtime give the same vectors",
        description="Encodes pictures and texts with MLX and with ONNX Runtime, both in float32, "
        f"and prints the cosines between their vectors. Fails under {LEAST}. On a GPU, float16's "
        "cosines to float32 are printed too. It needs MLX, which is slow on a CPU.",
    )
    add_model(parser, onnx=False)
    parser.add_argument(
        "--pictures",
        metavar="FOLDER",
        type=Path,
        default=_SAMPLES,
        help="where to take pictures from, instead of the samples beside the package",
    )
    add_cache(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit status. Raises EncoderError."""
    gpu = _gpu()
    paths = sorted(path for path in options.pictures.rglob("*") if path.is_file())
    if not paths:
        raise InputError(f"there are no pictures in {options.pictures}: name a folder of some")
    checkpoint = find_checkpoint(options.model)
    exact = _mlx(checkpoint, "float32", gpu)
    onnx = load_encoder(options.model, runtime="onnx", precision="float32", cache=options.cache)
    cosines = compare(exact, onnx, paths)
    print(f"{checkpoint.name}: {exact.runtime}, and {onnx.runtime}")
    print("\n".join(_lines(cosines)))
    if gpu:
        print(f"float16 on {gpu}, to float32:")
        print("\n".join(_lines(compare(_mlx(checkpoint, "float16", gpu), exact, paths))))
    passed = cosines.least >= LEAST
    print("passed" if passed else f"failed: {cosines.least:.6f} is less than {LEAST}")
    return EXIT_PASSED if passed else EXIT_FAILED


def compare(one: Encoder, other: Encoder, paths: Sequence[Path]) -> Cosines:
    """Cosines between two encoders' vectors; files that are no pictures are left out, and said."""
    of_pictures = []
    pictures = _pictures(paths)
    while batch := list(islice(pictures, _BATCH)):
        of_pictures.append((_images(one, batch) * _images(other, batch)).sum(1))
    if not of_pictures:
        raise InputError("none of the files is a picture: name another folder with --pictures")
    of_texts = (one.encode_texts(TEXTS) * other.encode_texts(TEXTS)).sum(1)
    return Cosines(np.concatenate(of_pictures), of_texts)


def _images(encoder: Encoder, images: Sequence[Image.Image]) -> NDArray[np.float32]:
    return encoder.encode_images(np.stack([encoder.preprocess(image) for image in images]))


def _pictures(paths: Sequence[Path]) -> Iterator[Image.Image]:
    for path in progress(paths, "Pictures", len(paths)):
        try:
            yield open_picture(path)
        except PictureError as error:
            print(f"left out: {error}", file=sys.stderr)


def _lines(cosines: Cosines) -> list[str]:
    return [
        f"{len(values):>8} {what}: cosine {values.min():.6f} at least, {values.mean():.6f} mean"
        for what, values in (("pictures", cosines.pictures), ("texts", cosines.texts))
    ]


def _mlx(checkpoint: Checkpoint, precision: str, gpu: str | None) -> Encoder:
    from mlx_clip.mlx_encoder import MlxEncoder

    return MlxEncoder(checkpoint, Runtime("mlx", gpu or "the CPU", precision, "selftest asks"))


def _gpu() -> str | None:
    try:
        from mlx_clip.mlx_device import gpu
    except ImportError as error:
        raise RuntimeChoiceError(
            f"selftest compares ONNX Runtime with MLX, which does not load here ({error}): "
            "install it (pip install mlx), or run selftest on another machine"
        ) from error
    return gpu()
