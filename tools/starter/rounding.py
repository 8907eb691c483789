"""How far the written graphs are from the float32 numbers that they were made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from tools.starter.corpora import Captioned
from tools.starter.features import features_of
from tools.starter.fit import LOOKS, Fit
from tools.starter.graph import Array, session
from tools.starter.image_graph import LOOKS_SHARE
from tools.starter.pictures import batches, normalised
from tools.starter.sentences import Sentences


def rounding(
    image: onnx.ModelProto,
    text: onnx.ModelProto,
    fit: Fit,
    pictures: Sequence[Captioned],
    network: onnx.ModelProto,
    sentences: Sentences,
) -> str:
    """The least cosine of int8 graph and float32 fit over some pictures and their captions."""
    features = features_of(pictures, network)
    looks, shown = fit.looks(features), fit.shown(features)
    expected = np.hstack([np.sqrt(LOOKS_SHARE) * looks, np.sqrt(1 - LOOKS_SHARE) * shown])
    running = session(image)
    written = np.concatenate(
        [running.run(None, {"pixel_values": normalised(some)})[0] for some in batches(pictures)]
    )
    captions = [item.caption for item in pictures]
    meant = np.pad(fit.texts(sentences(captions)), ((0, 0), (LOOKS, 0)))
    said = np.asarray(session(text).run(None, sentences.tokens(captions))[0])
    return (
        f"int8 against float32, least cosine: pictures {_least(expected, written):.4f}, "
        f"texts {_least(meant, said):.6f}"
    )


def _least(one: Array, other: Array) -> float:
    return float((one * other).sum(1).min())
