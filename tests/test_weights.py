"""Weights: the same tensors, whichever files they are in, and no others."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from mlx_clip.errors import WeightsError
from mlx_clip.weights import (
    WEIGHT_FILES,
    check_safetensors,
    choose_weights,
    open_weights,
    shards,
)
from tests.safetensors_files import ENTRIES, write

PICKLED = Path(__file__).parent / "checkpoints" / "pickled"
TENSORS: dict[str, NDArray[np.float32]] = {
    "text.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "logit_scale": np.array(2.6592, np.float32),
    "visual.bias": np.array([0.5, -1], np.float32),
}


def index(path: Path, weight_map: object) -> Path:
    path.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), encoding="utf-8")
    return path


def sharded(folder: Path) -> Path:
    """TENSORS in two files, the first two in the first."""
    names = list(TENSORS)
    parts = {"model-1-of-2.safetensors": names[:2], "model-2-of-2.safetensors": names[2:]}
    for part, inside in parts.items():
        save_file({name: TENSORS[name] for name in inside}, folder / part)
    weight_map = {name: part for part, inside in parts.items() for name in inside}
    return index(folder / "model.safetensors.index.json", weight_map)


def test_tensors_are_read_as_float32(tmp_path: Path) -> None:
    stored: dict[str, NDArray[Any]] = {
        "f16": np.array([1.5, -65504], np.float16),
        "f32": TENSORS["text.weight"],
        "f64": np.array([1 / 3, 1e300]),
        "scalar": TENSORS["logit_scale"],
        "empty": np.empty((0, 3), np.float32),
    }
    save_file(stored, tmp_path / "model.safetensors")
    weights = open_weights(tmp_path)
    assert weights.names == stored.keys()
    for name, array in stored.items():
        assert weights[name].dtype == np.float32
        assert weights[name].shape == weights.shape(name) == array.shape
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(weights[name], array.astype(np.float32))


def test_it_agrees_with_the_safetensors_library(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors", {"format": "pt"})
    weights = open_weights(tmp_path)
    for name, array in load_file(tmp_path / "model.safetensors").items():
        np.testing.assert_array_equal(weights[name], array)


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0, 3e38, np.inf], np.float32)
    halves = (values.view(np.uint32) >> 16).astype(np.uint16)
    entry = {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}
    write(tmp_path / "model.safetensors", {"a": entry}, halves.tobytes())
    truncated = (halves.astype(np.uint32) << 16).view(np.float32).reshape(2, 2)
    np.testing.assert_array_equal(open_weights(tmp_path)["a"], truncated)


@pytest.mark.parametrize("kind", ["I64", "F8_E4M3"])
def test_tensors_that_are_no_floats_stand_beside_those_that_are(tmp_path: Path, kind: str) -> None:
    ids = {"dtype": kind, "shape": [1], "data_offsets": [0, 8]}
    weight = {"dtype": "F32", "shape": [], "data_offsets": [8, 12]}
    write(tmp_path / "model.safetensors", {"ids": ids, "weight": weight}, bytes(12))
    weights = open_weights(tmp_path)
    assert "ids" in weights
    assert weights["weight"] == 0
    with pytest.raises(WeightsError, match=f"ids in .*model.safetensors .* {kind}: use a float32"):
        weights["ids"]


def test_a_pickled_checkpoint_gives_the_same_kind_of_weights(tmp_path: Path) -> None:
    shutil.copy(PICKLED / "legacy.bin", tmp_path / "pytorch_model.bin")
    weights = open_weights(tmp_path)
    expected = np.load(PICKLED / "expected.npz")
    for name in ("half", "brain", "transposed", "double"):
        assert weights[name].dtype == np.float32
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(weights[name], expected[name].astype(np.float32))
    with pytest.raises(WeightsError, match=r"position_ids in .*I64"):
        weights["position_ids"]


def test_a_missing_tensor_is_named_with_its_file(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors")
    weights = open_weights(tmp_path)
    assert "text.weights" not in weights
    for ask in (weights.__getitem__, weights.shape):
        with pytest.raises(WeightsError, match=r"no tensor text\.weights in .*model\.safetensors"):
            ask("text.weights")


def test_the_first_of_the_known_names_is_read(tmp_path: Path) -> None:
    for name in WEIGHT_FILES:
        if name.endswith(".json"):
            part = "shard" + Path(name.removesuffix(".index.json")).suffix
            index(tmp_path / name, {"scalar": part})
            name = part
        if name.endswith(".bin"):
            shutil.copy(PICKLED / "zip.bin", tmp_path / name)
        else:
            save_file({"scalar": TENSORS["logit_scale"]}, tmp_path / name)
    for name in WEIGHT_FILES:
        assert choose_weights(path.name for path in tmp_path.iterdir()) == name
        weights = open_weights(tmp_path)
        assert weights["scalar"] == np.float32(2.6592)
        expected = shards(tmp_path / name) if name.endswith(".json") else [name]
        assert [path.name for path in weights.files] == expected
        (tmp_path / name).unlink()
    assert choose_weights(path.name for path in tmp_path.iterdir()) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("model.safetensors", "model.safetensors.index.json"),
        ("model.safetensors.index.json", "open_clip_model.safetensors"),
        ("open_clip_model.safetensors", "pytorch_model.bin"),
        ("pytorch_model.bin", "open_clip_pytorch_model.bin"),
    ],
)
def test_safetensors_are_preferred_and_then_what_transformers_wrote(
    first: str, second: str
) -> None:
    assert choose_weights(["config.json", second, first]) == first


def test_a_folder_without_weights_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(WeightsError) as raised:
            open_weights(folder)
        assert all(name in str(raised.value) for name in (str(folder), *WEIGHT_FILES))


def test_shards_are_read_as_one(tmp_path: Path) -> None:
    assert shards(sharded(tmp_path)) == ["model-1-of-2.safetensors", "model-2-of-2.safetensors"]
    weights = open_weights(tmp_path)
    assert weights.names == TENSORS.keys()
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(weights[name], array)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    sharded(tmp_path)
    (tmp_path / "model-2-of-2.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"not beside it: model-2-of-2\.safetensors\. Download"):
        open_weights(tmp_path)


def test_a_shard_without_a_tensor_that_the_index_lists(tmp_path: Path) -> None:
    sharded(tmp_path)
    save_file({"other": TENSORS["visual.bias"]}, tmp_path / "model-2-of-2.safetensors")
    with pytest.raises(WeightsError, match=r"model-2-of-2\.safetensors has no tensor visual\.bias"):
        open_weights(tmp_path)


def test_a_cut_shard_is_named(tmp_path: Path) -> None:
    sharded(tmp_path)
    path = tmp_path / "model-2-of-2.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"model-2-of-2\.safetensors is cut off"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../a.bin", "/a.bin", "b/a.bin", "b\\a.bin", "C:a.bin", "..", "a.json", "a.bin\n", "", 3, []],
)
def test_an_index_stays_in_its_folder(tmp_path: Path, name: object) -> None:
    path = index(tmp_path / "model.safetensors.index.json", {"a": name})
    for ask in (lambda: shards(path), lambda: open_weights(tmp_path)):
        with pytest.raises(WeightsError, match=r"index\.json lists .* no name of a weights file"):
            ask()


@pytest.mark.parametrize(
    "content", ["", "<html>", "[" * 100_000, "[]", "{}", '{"weight_map": {}}', '{"weight_map": 1}']
)
def test_an_index_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "pytorch_model.bin.index.json").write_text(content)
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin\.index\.json .*download it again"):
        open_weights(tmp_path)


def test_the_digest_is_of_the_bytes_alone(tmp_path: Path) -> None:
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        sharded(folder)
    digest = open_weights(tmp_path / "first").digest()
    assert open_weights(tmp_path / "second").digest() == digest
    path = tmp_path / "second" / "model-2-of-2.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert open_weights(tmp_path / "second").digest() != digest


def test_only_what_is_asked_for_is_in_memory(tmp_path: Path) -> None:
    large = {"dtype": "F32", "shape": [64, 1 << 20], "data_offsets": [0, 256 << 20]}
    small = {"dtype": "F32", "shape": [2], "data_offsets": [256 << 20, (256 << 20) + 8]}
    write(tmp_path / "model.safetensors", {"large": large, "small": small}, b"", (256 << 20) + 8)
    tracemalloc.start()
    try:
        weights = open_weights(tmp_path)
        assert weights["small"].tolist() == [0, 0]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_file_cut_while_it_is_open(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", ENTRIES, bytes(12))
    weights = open_weights(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"model\.safetensors was cut off while"):
        weights["b"]
    path.unlink()
    for read in (lambda: weights["a"], weights.digest, lambda: check_safetensors(path)):
        with pytest.raises(WeightsError, match=r"model\.safetensors cannot be read"):
            read()
