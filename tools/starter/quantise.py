"""Weight-only int8: a quarter of the file, and still float32 arithmetic.

Activations are never quantised. Dynamic quantisation would take its scale from the whole batch, and
the vector of a text would depend on the other texts that it was encoded with.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.starter.graph import Array

_SMALLEST = 1024
"""Below this many numbers a weight is not worth the nodes."""

_LARGEST = 127

_CHANNEL_FIRST = ("Conv", "Gather", "Slice")
"""Where a weight's outputs (or a table's rows) lie along the first axis; elsewhere the last."""


def quantise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with each large float32 weight as int8 and one scale for each output channel.

    The weights become floats again through Cast and Mul, which ONNX Runtime does once, when it
    loads the model. (DequantizeLinear it would keep, and do again for each batch.) The rows of a
    table are converted after they are looked up, so that the table stays small in memory.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    weights = {item.name: item for item in graph.initializer if _is_large(item)}
    kept = [item for item in graph.initializer if item.name not in weights]
    before: list[onnx.NodeProto] = []
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        looked_up = node.op_type == "Gather" and node.input[0] in weights
        nodes.extend(_gather(node) if looked_up else [node])
        for name in node.input:
            if name in weights:
                axis = _axis(node.op_type, len(weights[name].dims))
                values, scale = rounded(numpy_helper.to_array(weights.pop(name)), axis)
                kept.append(numpy_helper.from_array(values, f"{name}_int8"))
                kept.append(numpy_helper.from_array(scale, f"{name}_scale"))
                before.extend([] if looked_up else _dequantise(name))
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(before + nodes)
    onnx.checker.check_model(small)
    return small


def rounded(weight: Array, axis: int) -> tuple[NDArray[np.int8], Array]:
    """int8 values and float32 scales (one a channel along `axis`), whose product is the weight."""
    others = tuple(other for other in range(weight.ndim) if other != axis)
    largest = np.abs(weight).max(axis=others, keepdims=True)
    scale = np.maximum(largest / _LARGEST, 1e-12).astype(np.float32)
    return np.round(weight / scale).clip(-_LARGEST, _LARGEST).astype(np.int8), scale


def _is_large(item: TensorProto) -> bool:
    size = int(np.prod(item.dims))
    return item.data_type == TensorProto.FLOAT and len(item.dims) > 1 and size >= _SMALLEST


def _axis(op_type: str, dimensions: int) -> int:
    return 0 if op_type in _CHANNEL_FIRST else dimensions - 1


def _dequantise(name: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_float", f"{name}_scale"], [name]),
    ]


def _gather(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    table, rows, (result,) = node.input[0], node.input[1], node.output
    return [
        helper.make_node("Gather", [f"{table}_int8", rows], [f"{result}_int8"]),
        helper.make_node("Gather", [f"{table}_scale", rows], [f"{result}_scale"]),
        *_dequantise(result),
    ]
