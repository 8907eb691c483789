"""`embed`: texts and pictures to vectors, as JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial

from mlx_clip.command import Commands, add_cache, add_model, add_runtime, load
from mlx_clip.encoder import Encoder
from mlx_clip.errors import InputError
from mlx_clip.picture import open_picture


@dataclass(frozen=True, slots=True)
class _Given:
    """A text, or the path of a picture."""

    kind: str
    value: str


def add(commands: Commands) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "embed",
        help="texts and pictures to vectors, as JSON lines",
        description='Prints a line {"vector": [...]} for each text and picture, in the order in '
        "which they are given. The vectors have length 1: the dot product of two is their "
        "similarity. Nothing is printed unless all of them can be encoded.",
    )
    add_model(parser)
    for kind, metavar, what in (
        ("text", "TEXT", "a text"),
        ("image", "FILE", "a picture file"),
    ):
        parser.add_argument(
            f"--{kind}",
            dest="given",
            action="append",
            type=partial(_Given, kind),
            metavar=metavar,
            help=f"{what}; as often as you like",
        )
    add_runtime(parser)
    add_cache(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit status. Raises EncoderError."""
    if not options.given:
        raise InputError("there is nothing to encode: give a --text or an --image")
    encoder = load(options)
    lines = []
    for number, given in enumerate(options.given, 1):
        try:
            lines.append(json.dumps({"vector": _vector(encoder, given)}) + "\n")
        except InputError as error:
            place = f"input {number} of {len(options.given)}, --{given.kind}"
            raise InputError(f"{place}: {error}") from error
    sys.stdout.write("".join(lines))
    return 0


def _vector(encoder: Encoder, given: _Given) -> list[float]:
    if given.kind == "text":
        vectors = encoder.encode_texts([given.value])
    else:
        vectors = encoder.encode_images(encoder.preprocess(open_picture(given.value))[None])
    return [float(value) for value in vectors[0]]
