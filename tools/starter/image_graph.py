"""image.onnx: the network, and behind it the fitted numbers as one more graph.

`fit.Fit` says what is computed and why; this is the same in ONNX operators.
"""

from __future__ import annotations

import numpy as np
import onnx

from tools.starter.backbone import CLASSES, FEATURES
from tools.starter.colour import FIRST, PALETTE, SALIENCE, SPREAD, STEP
from tools.starter.fit import COLOUR_WEIGHT, LOOKS, Fit
from tools.starter.graph import append, model_of
from tools.starter.minilm import WIDTH
from tools.starter.pictures import MEAN, SCALE, SIZE

LOOKS_SHARE = 0.5
"""The visual part's share of a picture's squared length; the rest is what it shows."""

_SIGNATURE = f"""head
    (float[batch, 3, {SIZE}, {SIZE}] pixel_values,
     float[batch, {FEATURES}] features, float[batch, {CLASSES}] logits)
    => (float[batch, {LOOKS + WIDTH}] embedding)"""

_HEAD = """
    certainty = Softmax<axis = 1>(logits)
    class_sum = MatMul(certainty, class_words)
    by_class = LpNormalization<axis = 1, p = 2>(class_sum)

    centred = Sub(features, feature_mean)
    regressed = MatMul(centred, feature_to_words)
    by_feature = LpNormalization<axis = 1, p = 2>(regressed)

    some_pixels = Slice(pixel_values, slice_from, slice_to, slice_axes, slice_steps)
    pixel_rows = Reshape(some_pixels, three_rows)
    nearness_0 = MatMul(palette, pixel_rows)
    nearness = Add(nearness_0, palette_offset)
    shares = Softmax<axis = 1>(nearness)
    share = ReduceMean<axes = [2], keepdims = 0>(shares)
    root = Sqrt(share)
    amounts = Mul(root, salience)
    unusual = Sub(amounts, colour_mean)
    coloured = MatMul(unusual, colour_words)
    by_colour = LpNormalization<axis = 1, p = 2>(coloured)

    estimates = Add(by_class, by_feature)
    estimate = LpNormalization<axis = 1, p = 2>(estimates)
    some_colour = Mul(by_colour, colour_weight)
    shown_0 = Add(estimate, some_colour)
    shown_1 = LpNormalization<axis = 1, p = 2>(shown_0)
    shown = Mul(shown_1, shown_weight)

    looks_0 = MatMul(centred, feature_to_looks)
    looks_1 = LpNormalization<axis = 1, p = 2>(looks_0)
    looks = Mul(looks_1, looks_weight)
    embedding = Concat<axis = 1>(looks, shown)
"""


def image_graph(network: onnx.ModelProto, fit: Fit) -> onnx.ModelProto:
    """`pixel_values` -> `embedding`: how it looks (192), then what it shows (384); length 1."""
    # The palette is in RGB steps: the scaling of the pixels is undone within it.
    palette = 2 * PALETTE / (2 * SPREAD**2)
    offset = palette.sum(1) * MEAN - (PALETTE**2).sum(1) / (2 * SPREAD**2)
    weights = {
        "class_words": fit.class_words,
        "feature_mean": fit.feature_mean,
        "feature_to_words": fit.feature_to_words,
        "feature_to_looks": fit.feature_to_looks,
        "slice_from": np.array([FIRST, FIRST]),
        "slice_to": np.array([SIZE, SIZE]),
        "slice_axes": np.array([2, 3]),
        "slice_steps": np.array([STEP, STEP]),
        "three_rows": np.array([0, 3, -1]),  # 0: as many pictures as there are
        "palette": (palette * SCALE).astype(np.float32),
        "palette_offset": offset[:, None].astype(np.float32),
        "salience": SALIENCE,
        "colour_mean": fit.colour_mean,
        "colour_words": fit.colour_words,
        "colour_weight": np.array(COLOUR_WEIGHT, np.float32),
        "looks_weight": np.array(np.sqrt(LOOKS_SHARE), np.float32),
        "shown_weight": np.array(np.sqrt(1 - LOOKS_SHARE), np.float32),
    }
    return append(network, model_of(_SIGNATURE, _HEAD, weights))
