"""text.onnx: BERT's encoder (https://arxiv.org/abs/1810.04805), the mean over a text's tokens,
and the way from there into the model's space.

The graph is written anew over the package's weights, because the package's own one computes its
reshapes and masks at run time and is about a fifth slower.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from tools.starter.graph import Array, append, model_of
from tools.starter.minilm import HEADS, LAYERS, MAX_TOKENS, WIDTH

_TOKENS = "(int64[batch, length] input_ids, int64[batch, length] attention_mask)"

# The mean over the tokens is all-MiniLM-L6-v2's own pooling; padding counts for nothing.
_START = """
    length = Shape<start = 1, end = 2>(input_ids)
    words = Gather(word_table, input_ids)
    positions = Slice(position_table, zero, length, zero)
    placed = Add(words, positions)
    typed = Add(placed, token_type)
    x0 = LayerNormalization<axis = -1, epsilon = 1e-12>(typed, norm_weight, norm_bias)
    mask = Cast<to = 1>(attention_mask)
    absent = Sub(one, mask)
    far_below = Mul(absent, minus_much)
    bias = Unsqueeze(far_below, head_and_row)
"""

_ATTENTION = """
    {l}_q0 = MatMul({x}, {l}_query_weight)
    {l}_q1 = Add({l}_q0, {l}_query_bias)
    {l}_q2 = Reshape({l}_q1, split)
    {l}_q = Transpose<perm = [0, 2, 1, 3]>({l}_q2)
    {l}_k0 = MatMul({x}, {l}_key_weight)
    {l}_k1 = Add({l}_k0, {l}_key_bias)
    {l}_k2 = Reshape({l}_k1, split)
    {l}_k = Transpose<perm = [0, 2, 3, 1]>({l}_k2)
    {l}_v0 = MatMul({x}, {l}_value_weight)
    {l}_v1 = Add({l}_v0, {l}_value_bias)
    {l}_v2 = Reshape({l}_v1, split)
    {l}_v = Transpose<perm = [0, 2, 1, 3]>({l}_v2)
    {l}_s0 = MatMul({l}_q, {l}_k)
    {l}_s1 = Mul({l}_s0, score_scale)
    {l}_s2 = Add({l}_s1, bias)
    {l}_s = Softmax<axis = -1>({l}_s2)
    {l}_a0 = MatMul({l}_s, {l}_v)
    {l}_a1 = Transpose<perm = [0, 2, 1, 3]>({l}_a0)
    {l}_a2 = Reshape({l}_a1, merge)
    {l}_a3 = MatMul({l}_a2, {l}_attended_weight)
    {l}_a4 = Add({l}_a3, {l}_attended_bias)
    {l}_a5 = Add({x}, {l}_a4)
    {l}_a = LayerNormalization<axis = -1, epsilon = 1e-12>(
        {l}_a5, {l}_attended_norm_weight, {l}_attended_norm_bias)
"""

# GELU through Erf, as BERT has it; in this form ONNX Runtime makes one operator of it.
_FEED_FORWARD = """
    {l}_f0 = MatMul({l}_a, {l}_wide_weight)
    {l}_f1 = Add({l}_f0, {l}_wide_bias)
    {l}_f2 = Div({l}_f1, root_two)
    {l}_f3 = Erf({l}_f2)
    {l}_f4 = Add({l}_f3, one)
    {l}_f5 = Mul({l}_f1, {l}_f4)
    {l}_f6 = Mul({l}_f5, half)
    {l}_f7 = MatMul({l}_f6, {l}_narrow_weight)
    {l}_f8 = Add({l}_f7, {l}_narrow_bias)
    {l}_f9 = Add({l}_a, {l}_f8)
    {y} = LayerNormalization<axis = -1, epsilon = 1e-12>(
        {l}_f9, {l}_narrow_norm_weight, {l}_narrow_norm_bias)
"""

_END = """
    token_mask = Unsqueeze(mask, last)
    present = Mul({x}, token_mask)
    sum = ReduceSum<keepdims = 0>(present, row)
    count = ReduceSum<keepdims = 0>(token_mask, row)
    mean = Div(sum, count)
    sentence = LpNormalization<axis = 1, p = 2>(mean)
"""

_HEAD = """
    centred = Sub(sentence, centre)
    whitened = MatMul(centred, whitening)
    semantic = LpNormalization<axis = 1, p = 2>(whitened)
    embedding = Pad(semantic, visual_part)
"""

_CONSTANTS: dict[str, NDArray[np.generic]] = {
    "zero": np.array([0]),
    "one": np.array(1, np.float32),
    "half": np.array(0.5, np.float32),
    "root_two": np.array(np.sqrt(2), np.float32),
    "minus_much": np.array(-1e4, np.float32),
    "score_scale": np.array((WIDTH // HEADS) ** -0.5, np.float32),
    "head_and_row": np.array([1, 2]),
    "split": np.array([0, 0, HEADS, WIDTH // HEADS]),  # 0: as it was
    "merge": np.array([0, 0, WIDTH]),
    "row": np.array([1]),
    "last": np.array([2]),
}

_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "narrow_norm": "output.LayerNorm",
}


def sentence_graph(bert: Mapping[str, Array]) -> onnx.ModelProto:
    """Token ids and their mask -> `sentence`: float32 (n, 384), L2-normalised."""
    layers = "".join(
        (_ATTENTION + _FEED_FORWARD).format(l=f"layer{i}", x=f"x{i}", y=f"x{i + 1}")
        for i in range(LAYERS)
    )
    body = _START + layers + _END.format(x=f"x{LAYERS}")
    outputs = f"(float[batch, {WIDTH}] sentence)"
    return model_of(f"text {_TOKENS} => {outputs}", body, {**_CONSTANTS, **_weights(bert)})


def text_graph(
    bert: Mapping[str, Array], centre: Array, whitening: Array, visual: int
) -> onnx.ModelProto:
    """Token ids and their mask -> `embedding`: `visual` zeros, then the text's place (n, 384).

    A text says nothing of how a picture looks, so that part of its vector is zero.
    """
    head = model_of(
        f"head (float[batch, {WIDTH}] sentence) => (float[batch, {visual + WIDTH}] embedding)",
        _HEAD,
        {
            "centre": centre,
            "whitening": whitening,
            "visual_part": np.array([0, visual, 0, 0]),
        },
    )
    return append(sentence_graph(bert), head)


def _weights(bert: Mapping[str, Array]) -> dict[str, Array]:
    weights = {
        "word_table": bert["embeddings.word_embeddings.weight"],
        "position_table": bert["embeddings.position_embeddings.weight"][:MAX_TOKENS],
        "token_type": bert["embeddings.token_type_embeddings.weight"][0],
        "norm_weight": bert["embeddings.LayerNorm.weight"],
        "norm_bias": bert["embeddings.LayerNorm.bias"],
    }
    for layer in range(LAYERS):
        for ours, theirs in _NAMES.items():
            for kind in ("weight", "bias"):
                name = f"encoder.layer.{layer}.{theirs}.{kind}"
                weights[f"layer{layer}_{ours}_{kind}"] = bert[name]
    return weights
