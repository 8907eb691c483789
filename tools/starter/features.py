"""What the fit knows of a set of pictures: one pass of the network over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from tools.starter.colour import colour_amounts
from tools.starter.corpora import Captioned
from tools.starter.graph import Array, session
from tools.starter.pictures import batches, normalised


@dataclass(frozen=True)
class Features:
    """A row for each picture.

    Args:
        features: (n, 1280): the network's pooled features.
        logits: (n, 1000): its scores of ImageNet's classes.
        colours: (n, 11): how much of each colour there is.
    """

    features: Array
    logits: Array
    colours: Array

    def __getitem__(self, rows: NDArray[np.bool_]) -> Features:
        return Features(self.features[rows], self.logits[rows], self.colours[rows])

    def __len__(self) -> int:
        return len(self.features)


def features_of(pictures: Sequence[Captioned], network: onnx.ModelProto) -> Features:
    """The pictures' features, in order."""
    running = session(network)
    rows: list[tuple[Array, Array, Array]] = []
    for pixels in batches(pictures):
        features, logits = running.run(None, {"pixel_values": normalised(pixels)})
        rows.append((np.asarray(features), np.asarray(logits), colour_amounts(pixels)))
    return Features(*(np.concatenate(column) for column in zip(*rows, strict=True)))
