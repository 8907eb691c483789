"""From a checkpoint to ONNX: `image.onnx` and `text.onnx`, each with its weights in a file beside.

    image.onnx   pixel_values  float32 (n, 3, size, size), normalised -> embedding float32 (n, dim)
    text.onnx    input_ids     int64 (n, length)                      -> embedding float32 (n, dim)

Both embeddings are L2-normalised. The towers are those of transformers' modeling_clip.py and
modeling_siglip.py (version 5.23). Attention, layer norms and activations are single operators, some
of them ONNX Runtime's own (domain com.microsoft), since ONNX Runtime is what runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from mlx_clip.config import HIGHEST_ID, ModelConfig, TowerConfig
from mlx_clip.tensors import Tensors

_OPSET = 20
_IR_VERSION = 9  # of that operator set; newer ones are refused by older runtimes
_ALIGNMENT = 64
_MICROSOFT = "com.microsoft"
# Not 127: processors with AVX2 and no VNNI add two products in 16 bits, which 255 * 127 twice
# overflows, and vectors would depend on the processor.
_LARGEST_INT8 = np.float32(63)
_LARGEST_ROUNDED = 127


def write_image_graph(path: Path, config: ModelConfig, tensors: Tensors, int8: bool) -> None:
    """Write the picture tower, `path` and `path`.data."""
    vision = config.vision
    with _graph(path, tensors, int8) as graph:
        x = _patches(graph, config)
        if config.family == "clip":
            token = graph.weight("vision_model.embeddings.class_embedding", shape=(1, 1, -1))
            batch = graph.op("Shape", "pixel_values", start=0, end=1)
            ones = graph.integers([1, vision.hidden_size])
            token = graph.op("Expand", token, graph.op("Concat", batch, ones, axis=0))
            x = graph.op("Concat", token, x, axis=1)
        x = graph.op("Add", x, graph.weight("vision_model.embeddings.position_embedding.weight"))
        if config.family == "clip":
            x = graph.norm(x, "vision_model.pre_layrnorm", vision)
            x = _encoder(graph, x, "vision_model", vision, first_only=True)
            x = graph.op("Gather", x, graph.integers(0), axis=1)
            x = graph.norm(x, "vision_model.post_layernorm", vision)
            x = graph.linear(x, "visual_projection", bias=False)
        else:
            x = _encoder(graph, x, "vision_model", vision)
            x = graph.norm(x, "vision_model.post_layernorm", vision)
            x = _attention_pool(graph, x, vision)
        side = vision.image_size
        pixels = helper.make_tensor_value_info(
            "pixel_values", TensorProto.FLOAT, ["batch", 3, side, side]
        )
        graph.save(pixels, x, config.dim)


def write_text_graph(path: Path, config: ModelConfig, tensors: Tensors, int8: bool) -> None:
    """Write the text tower, `path` and `path`.data."""
    text = config.text
    with _graph(path, tensors, int8) as graph:
        x = graph.op(
            "Gather", graph.weight("text_model.embeddings.token_embedding.weight"), "input_ids"
        )
        length = graph.op("Shape", "input_ids", start=1, end=2)
        positions = graph.weight("text_model.embeddings.position_embedding.weight")
        positions = graph.op("Slice", positions, graph.integers([0]), length, graph.integers([0]))
        x = graph.op("Add", x, positions)
        x = _encoder(graph, x, "text_model", text, causal=config.family == "clip")
        x = graph.norm(x, "text_model.final_layer_norm", text)
        if config.family == "clip":
            x = _at_the_end_token(graph, x, text.eos_token_id)
            x = graph.linear(x, "text_projection", bias=False)
        else:
            x = graph.op("Gather", x, graph.integers(-1), axis=1)
            x = graph.linear(x, "text_model.head")
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
        graph.save(ids, x, config.dim)


def _patches(graph: _Graph, config: ModelConfig) -> str:
    """The pixels as patch embeddings (n, patches, width)."""
    vision, name = config.vision, "vision_model.embeddings.patch_embedding"
    inputs = ["pixel_values", graph.weight(f"{name}.weight")]
    if config.family == "siglip":
        inputs.append(graph.weight(f"{name}.bias"))
    step = [vision.patch_size] * 2
    x = graph.op("Conv", *inputs, kernel_shape=step, strides=step)
    x = graph.op("Reshape", x, graph.integers([0, vision.hidden_size, -1]))
    return graph.op("Transpose", x, perm=[0, 2, 1])


def _encoder(
    graph: _Graph,
    x: str,
    name: str,
    tower: TowerConfig,
    *,
    causal: bool = False,
    first_only: bool = False,
) -> str:
    """The tower's layers; of the last one only the first row, where no other is looked at."""
    for number in range(tower.num_hidden_layers):
        layer = f"{name}.encoder.layers.{number}"
        y = query = graph.norm(x, f"{layer}.layer_norm1", tower)
        if first_only and number == tower.num_hidden_layers - 1:
            x, query = (graph.op("Gather", rows, graph.integers([0]), axis=1) for rows in (x, y))
        y = _attention(graph, query, y, f"{layer}.self_attn", tower, causal=causal)
        x = graph.op("Add", x, y)
        y = graph.norm(x, f"{layer}.layer_norm2", tower)
        x = graph.op("Add", x, _mlp(graph, y, f"{layer}.mlp", tower))
    return x


def _attention(
    graph: _Graph, query: str, x: str, name: str, tower: TowerConfig, *, causal: bool
) -> str:
    """Attention of some rows to all rows of `x`."""
    query = graph.linear(query, f"{name}.q_proj")
    key, value = (graph.linear(x, f"{name}.{part}_proj") for part in ("k", "v"))
    x = graph.attention(query, key, value, tower.num_attention_heads, causal=causal)
    return graph.linear(x, f"{name}.out_proj")


def _mlp(graph: _Graph, x: str, name: str, tower: TowerConfig) -> str:
    x = graph.activation(graph.linear(x, f"{name}.fc1"), tower.hidden_act)
    return graph.linear(x, f"{name}.fc2")


def _attention_pool(graph: _Graph, x: str, vision: TowerConfig) -> str:
    """SigLIP's pooling head: one learned query looks at all patches, and a residual MLP."""
    head = "vision_model.head"
    weights = np.split(graph.tensors[f"{head}.attention.in_proj_weight"], 3)
    biases = np.split(graph.tensors[f"{head}.attention.in_proj_bias"], 3)
    probe = graph.tensors[f"{head}.probe"][0] @ weights[0].T + biases[0]
    batch = graph.op("Shape", x, start=0, end=1)
    shape = graph.op("Concat", batch, graph.integers([1, vision.hidden_size]), axis=0)
    query = graph.op("Expand", graph.constant(probe[None]), shape)
    key, value = (graph.matmul(x, weights[i], biases[i]) for i in (1, 2))
    x = graph.attention(query, key, value, vision.num_attention_heads)
    x = graph.linear(x, f"{head}.attention.out_proj")
    x = graph.op(
        "Add", x, _mlp(graph, graph.norm(x, f"{head}.layernorm", vision), f"{head}.mlp", vision)
    )
    return graph.op("Squeeze", x, graph.integers([1]))


def _at_the_end_token(graph: _Graph, x: str, end: int) -> str:
    """Of each text the row where it ends: (n, length, width) -> (n, width)."""
    ids = "input_ids"
    if end != HIGHEST_ID:
        ids = graph.op("Cast", graph.op("Equal", ids, graph.integers(end)), to=TensorProto.INT32)
    place = graph.op("ArgMax", ids, axis=1, keepdims=1)
    return graph.op("GatherND", x, place, batch_dims=1)


class _Graph:
    """Nodes, and the weights that they use, which go straight to the file beside the model."""

    def __init__(self, path: Path, tensors: Tensors, int8: bool) -> None:
        self.tensors = tensors
        self._path, self._int8 = path, int8
        self._data = path.with_name(path.name + ".data").open("wb")
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._rounded: dict[str, tuple[str, str]] = {}

    def close(self) -> None:
        self._data.close()

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output; gives the output's name."""
        output = f"{kind}{len(self._nodes)}"
        node = helper.make_node(kind, list(inputs), [output], output, domain=domain)
        node.attribute.extend(helper.make_attribute(*item) for item in attributes.items())
        self._nodes.append(node)
        return output

    def weight(self, name: str, shape: tuple[int, ...] | None = None) -> str:
        values = self.tensors[name]
        return self.constant(values if shape is None else values.reshape(shape))

    def norm(self, x: str, name: str, tower: TowerConfig) -> str:
        weights = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", x, *weights, epsilon=tower.layer_norm_eps)

    def linear(self, x: str, name: str, bias: bool = True) -> str:
        return self.matmul(
            x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"] if bias else None
        )

    def matmul(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> str:
        """x @ weight.T + bias, with the weight as checkpoints have it: (out, in)."""
        if self._int8:
            return self._int8_matmul(x, weight, bias)
        x = self.op("MatMul", x, self.constant(np.ascontiguousarray(weight.T)))
        return x if bias is None else self.op("Add", x, self.constant(bias))

    def attention(
        self, query: str, key: str, value: str, heads: int, *, causal: bool = False
    ) -> str:
        """softmax(q k^T / sqrt(d)) v, over as many heads."""
        return self.op(
            "MultiHeadAttention",
            query,
            key,
            value,
            domain=_MICROSOFT,
            num_heads=heads,
            unidirectional=int(causal),
        )

    def activation(self, x: str, name: str) -> str:
        if name == "quick_gelu":
            return self.op("QuickGelu", x, domain=_MICROSOFT, alpha=1.702)
        return self.op("Gelu", x, approximate="none" if name == "gelu" else "tanh")

    def integers(self, values: int | list[int]) -> str:
        name = f"i{len(self._weights)}"
        self._weights.append(onnx.numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        """Write an array to the file beside the model; gives its name."""
        name = f"w{len(self._weights)}"
        self._data.write(b"\0" * (-self._data.tell() % _ALIGNMENT))
        place = {"location": Path(self._data.name).name, "offset": self._data.tell()}
        tensor = TensorProto(
            name=name,
            dims=values.shape,
            data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
            data_location=TensorProto.EXTERNAL,
        )
        for key, what in {**place, "length": values.nbytes}.items():
            tensor.external_data.add(key=key, value=str(what))
        self._data.write(np.ascontiguousarray(values).data)
        self._weights.append(tensor)
        return name

    def save(self, given: onnx.ValueInfoProto, x: str, dim: int) -> None:
        """Normalise `x`, make it the output and write the model."""
        x = self.op("LpNormalization", x, axis=-1, p=2)
        self._nodes.append(helper.make_node("Identity", [x], ["embedding"]))
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dim])
        graph = helper.make_graph(self._nodes, self._path.stem, [given], [embedding], self._weights)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        self._path.write_bytes(model.SerializeToString())

    def _int8_matmul(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None
    ) -> str:
        scale = np.maximum(np.abs(weight).max(axis=1) / _LARGEST_INT8, np.float32(1e-12))
        rounded = np.round(weight / scale[:, None]).astype(np.int8)
        x, largest = self._rounded_rows(x)
        x = self.op(
            "MatMulIntegerToFloat",
            x,
            self.constant(np.ascontiguousarray(rounded.T)),
            self._step,
            self.constant(scale),
            self._zero,
            domain=_MICROSOFT,
        )
        x = self.op("Mul", x, largest)
        return x if bias is None else self.op("Add", x, self.constant(bias))

    def _rounded_rows(self, x: str) -> tuple[str, str]:
        """`x` in uint8, and the largest magnitude in each row, by which a product is to be scaled.

        Row by row, where ONNX Runtime's DynamicQuantizeMatMul has one scale for all: a vector would
        depend on the pictures beside it, and one large value would cost all others their precision.
        """
        if x not in self._rounded:  # query, key and value read the same
            largest = self.op("ReduceMax", self.op("Abs", x), self.integers([-1]), keepdims=1)
            largest = self.op("Max", largest, self._least)
            rows = self.op("QuantizeLinear", self.op("Div", x, largest), self._step, self._zero)
            self._rounded[x] = rows, largest
        return self._rounded[x]

    @cached_property
    def _step(self) -> str:
        return self.constant(np.array(1 / _LARGEST_ROUNDED, np.float32))

    @cached_property
    def _zero(self) -> str:
        return self.constant(np.array(_LARGEST_ROUNDED + 1, np.uint8))

    @cached_property
    def _least(self) -> str:
        """Instead of zero, which nothing can be divided by."""
        return self.constant(np.array(1e-12, np.float32))


@contextmanager
def _graph(path: Path, tensors: Tensors, int8: bool) -> Iterator[_Graph]:
    graph = _Graph(path, tensors, int8)
    try:
        yield graph
    finally:
        graph.close()
