"""`zeroshot`: how well a model tells classes of pictures apart by their names alone.

As in section 3.1 of "Learning Transferable Visual Models From Natural Language Supervision"
(Radford et al., 2021): a class's vector is the mean of those of some sentences about it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlx_clip.command import Commands, add_cache, add_model, add_runtime, load, progress
from mlx_clip.encoder import Encoder, Vectors
from mlx_clip.errors import InputError, PictureError
from mlx_clip.labelled import CIFAR10, Dataset, open_dataset, read_names
from mlx_clip.templates import averaged

_BATCH = 16
_TOP = 5
_WORST = 5

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What a model took pictures for."""

    classes: Sequence[str]
    labels: Numbers
    """(n,)"""
    guesses: Numbers
    """(n, 5 at most): the classes nearest to each picture, the nearest first."""
    skipped: list[PictureError]
    seconds: float

    def accuracy(self, top: int) -> float:
        """The part of the pictures whose class is among the `top` nearest."""
        return float((self.guesses[:, :top] == self.labels[:, None]).any(1).mean())

    def worst(self) -> list[str]:
        """Of the classes with mistakes those with most, and what they are mostly taken for."""
        rows = []
        for label in np.unique(self.labels):
            guesses = self.guesses[self.labels == label, 0]
            wrong = guesses[guesses != label]
            if wrong.size:
                taken = self.classes[Counter(wrong.tolist()).most_common(1)[0][0]]
                right = 1 - wrong.size / guesses.size
                said = f"{self.classes[label]}: {right:.1%} of {guesses.size}, else mostly {taken}"
                rows.append((right, said))
        return [said for _, said in sorted(rows)[:_WORST]]


def add(commands: Commands) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "zeroshot",
        help="how well a model tells classes of pictures apart by their names",
        description="Measures the zero-shot accuracy of a model over a folder of class folders: "
        "dog/1.jpg, polar_bear/2.png. A class's vector is the mean of those of seven sentences "
        'that CLIP\'s authors published for this ("a photo of the large polar bear."); a picture '
        "belongs to the class nearest to it.",
    )
    add_model(parser)
    parser.add_argument(
        "--dataset",
        metavar="FOLDER",
        required=True,
        help=f"the folder of class folders, whose names are the classes' with _ for a space; or "
        f"{CIFAR10}, which is downloaded (170 MB)",
    )
    parser.add_argument(
        "--names",
        metavar="FILE",
        type=Path,
        help="where the folders are not named as their classes: a text file with a line for each, "
        "the folder's name, a space, and the class's (\"n01440764 tench\")",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help="take only N of the pictures, drawn from all classes, always the same ones",
    )
    add_runtime(parser)
    add_cache(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit status. Raises EncoderError."""
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit is {options.limit}: it takes a number of pictures")
    names = read_names(options.names) if options.names else None
    dataset = open_dataset(options.dataset, names, options.limit)
    encoder = load(options)
    outcome = classify(encoder, dataset)
    for error in outcome.skipped:
        print(f"skipped: {error}", file=sys.stderr)
    print("\n".join(_report(encoder, outcome)))
    return 0


def classify(encoder: Encoder, dataset: Dataset) -> Outcome:
    """Take each picture of a dataset for a class. Raises InputError when none can be read."""
    classes = class_vectors(encoder, dataset.classes)
    labels: list[int] = []
    guesses: list[Numbers] = []
    skipped: list[PictureError] = []
    started = time.perf_counter()
    pictures = iter(progress(dataset, "Pictures", len(dataset)))
    while batch := list(islice(pictures, _BATCH)):
        skipped += [error for error, _ in batch if isinstance(error, PictureError)]
        usable = [(image, label) for image, label in batch if isinstance(image, Image.Image)]
        if usable:
            pixels = np.stack([encoder.preprocess(image) for image, _ in usable])
            scores = encoder.encode_images(pixels) @ classes.T
            guesses.append(np.argsort(-scores, axis=1, kind="stable")[:, :_TOP])
            labels += [label for _, label in usable]
    if not labels:
        raise InputError(f"none of the {len(skipped)} pictures can be read: {skipped[0]}")
    seconds = time.perf_counter() - started
    return Outcome(dataset.classes, np.array(labels), np.concatenate(guesses), skipped, seconds)


def class_vectors(encoder: Encoder, classes: Sequence[str]) -> Vectors:
    """The classes as L2-normalised vectors (n, dim)."""
    return np.stack(
        [averaged(encoder, name) for name in progress(classes, "Classes", len(classes))]
    )


def _report(encoder: Encoder, outcome: Outcome) -> list[str]:
    count, classes = len(outcome.labels), len(outcome.classes)
    lines = [
        f"   model: {encoder.name}, {encoder.runtime}",
        f"pictures: {count} of {classes} classes, {len(outcome.skipped)} skipped, "
        f"{count / outcome.seconds:.1f} a second",
        f"   top-1: {outcome.accuracy(1):.2%}",
    ]
    if classes > _TOP:
        lines.append(f"   top-5: {outcome.accuracy(_TOP):.2%}")
    return lines + [f"   worst: {said}" for said in outcome.worst()]
