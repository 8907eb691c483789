"""Where ONNX files come from: our own making or a folder that was named; what they may read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mlx_clip.errors import EncoderError
from mlx_clip.hub_files import needed_beside_weights
from mlx_clip.onnx_encoder import open_session
from mlx_clip.weights import choose_weights

REPOSITORY = [
    "config.json",
    "tokenizer.json",
    "preprocessor_config.json",
    "model.onnx",
    "image.onnx",
    "text.onnx",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
]


def test_none_is_downloaded() -> None:
    wanted = needed_beside_weights(REPOSITORY)
    assert wanted
    assert not [name for name in wanted if "onnx" in name]
    assert choose_weights(REPOSITORY) is None
    beside = choose_weights([*REPOSITORY, "model.safetensors"])
    assert beside is not None
    assert "onnx" not in str(beside)


@pytest.mark.parametrize("outside", ["../secret.bin", "{folder}/secret.bin"])
def test_a_graph_reads_no_file_outside_its_folder(tmp_path: Path, outside: str) -> None:
    np.arange(4, dtype=np.float32).tofile(tmp_path / "secret.bin")
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "image.onnx"
    onnx.save(graph_over(outside.format(folder=tmp_path)), path)
    with pytest.raises(EncoderError):
        open_session(path)


def graph_over(location: str) -> onnx.ModelProto:
    """A graph whose weights lie in another file."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    add = helper.make_node("Add", ["x", "w"], ["y"])
    whole = helper.make_graph([add], "graph", ends[:1], ends[1:], [weights])
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
