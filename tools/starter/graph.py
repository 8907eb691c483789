"""ONNX graphs from their textual form (https://onnx.ai/onnx/repo-docs/Syntax.html)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

Array = NDArray[np.float32]

OPSET = 17
_HEADER = f'<ir_version: 8, opset_import: ["" : {OPSET}]>'


def model_of(
    signature: str, body: str, weights: Mapping[str, NDArray[np.generic]]
) -> onnx.ModelProto:
    """A model from `name (inputs) => (outputs)`, its nodes as text, and its weights by name."""
    model = onnx.parser.parse_model(f"{_HEADER}\n{signature} {{\n{body}\n}}")
    model.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in weights.items()
    )
    return model


def append(model: onnx.ModelProto, tail: onnx.ModelProto) -> onnx.ModelProto:
    """`model` followed by `tail`, whose inputs are inputs or outputs of `model`, by name."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    whole.graph.node.extend(tail.graph.node)
    whole.graph.initializer.extend(tail.graph.initializer)
    del whole.graph.output[:]
    whole.graph.output.extend(tail.graph.output)
    return whole


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A model ready to run."""
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
