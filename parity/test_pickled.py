"""Checkpoints that torch writes here and now are read for the tensors that they were written of."""

from __future__ import annotations

import random
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlx_clip.errors import WeightsError
from mlx_clip.pickled import read_pickled
from mlx_clip.weights import open_weights

KINDS = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    *(torch.uint16, torch.uint32, torch.uint64),
)
both_formats = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])


def random_tensor(dice: random.Random) -> Any:
    """Any type and shape, empty and scalar ones too; sometimes a part of something larger."""
    shape = [dice.choice((0, 1, 2, 3, 5, 8)) for _ in range(dice.randrange(5))]
    tensor = (torch.randn(shape) * 100).to(dice.choice(KINDS))
    if shape and dice.random() < 0.3:
        tensor = tensor.transpose(0, dice.randrange(len(shape)))
    if shape and shape[0] > 2 and dice.random() < 0.3:
        tensor = tensor[1::2] if dice.random() < 0.5 else tensor[..., 1:]
    if tensor.is_floating_point() and dice.random() < 0.3:
        return torch.nn.Parameter(tensor)
    return tensor


def random_state_dict(seed: int) -> dict[str, Any]:
    torch.manual_seed(seed)
    dice = random.Random(seed)
    tensors = OrderedDict((f"layer.{n}", random_tensor(dice)) for n in range(60))
    tensors["tied"] = tensors["layer.0"]
    tensors["view"] = tensors["layer.1"].detach().reshape(-1)
    return tensors


@both_formats
@pytest.mark.parametrize("seed", range(20))
def test_random_state_dicts(tmp_path: Path, as_zip: bool, seed: int) -> None:
    tensors = random_state_dict(seed)
    path = tmp_path / "pytorch_model.bin"
    torch.save(tensors, path, _use_new_zipfile_serialization=as_zip)
    read = read_pickled(path)
    assert list(read) == list(tensors)
    for name, tensor in tensors.items():
        values = tensor.detach()
        expected = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        array = read[name].array()
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape), name
        np.testing.assert_array_equal(array, expected, err_msg=name)


@both_formats
def test_the_state_dict_of_a_module(tmp_path: Path, as_zip: bool) -> None:
    model = torch.nn.TransformerEncoderLayer(8, 2, 16).to(torch.bfloat16)
    path = tmp_path / "open_clip_pytorch_model.bin"
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=as_zip)
    weights = open_weights(tmp_path)
    assert weights.names == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(weights[name], tensor.float().numpy())


@both_formats
def test_the_newer_pickle_protocols(tmp_path: Path, as_zip: bool) -> None:
    path = tmp_path / "pytorch_model.bin"
    for protocol in (2, 3, 4, 5):
        torch.save(
            {"a": torch.arange(3.0)},
            path,
            pickle_protocol=protocol,
            _use_new_zipfile_serialization=as_zip,
        )
        assert read_pickled(path)["a"].array().tolist() == [0, 1, 2]


@both_formats
def test_a_pickled_module_is_refused(tmp_path: Path, as_zip: bool) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(WeightsError, match=r"Linear|is no storage"):
        read_pickled(path)
