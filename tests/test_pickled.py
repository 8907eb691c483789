"""Checkpoints of torch.save, whole and broken. tests/checkpoints/pickled has what torch wrote."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx_clip.errors import WeightsError
from mlx_clip.pickled import read_pickled
from tests.damage import cuts, flips
from tests.pickles import FORMATS, part, save, state_dict

CHECKPOINTS = Path(__file__).parent / "checkpoints" / "pickled"
FOUR = np.arange(4, dtype=np.float32).tobytes()


def read_all(path: Path) -> None:
    """Read every tensor, or raise WeightsError."""
    for stored in read_pickled(path).values():
        stored.array()


@pytest.mark.parametrize("form", FORMATS)
def test_what_torch_wrote_is_read_as_torch_reads_it(form: str) -> None:
    expected = np.load(CHECKPOINTS / "expected.npz")
    tensors = read_pickled(CHECKPOINTS / f"{form}.bin")
    assert list(tensors) == list(expected)
    for name, stored in tensors.items():
        array = stored.array()
        assert stored.shape == array.shape
        assert array.dtype == expected[name].dtype, name
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_a_tensor_of_its_own_memory(tmp_path: Path) -> None:
    tensors = read_pickled(CHECKPOINTS / "zip.bin")
    tensors["weight"].array()[:] = 0
    assert tensors["tied"].array()[1] == 0.125


def test_a_training_checkpoint_is_read_for_its_state_dict() -> None:
    tensors = read_pickled(CHECKPOINTS / "training.bin")
    assert {name: stored.array().tolist() for name, stored in tensors.items()} == {
        "weight": [[1.0, 2.0]],
        "bias": [3.0],
    }


def test_the_byte_order_of_another_machine(tmp_path: Path) -> None:
    path = save(tmp_path / "big.bin", "zip", state_dict("zip", 4), {"0": FOUR[::-1]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/byteorder", "big")
    np.testing.assert_array_equal(read_pickled(path)["a"].array(), [3, 2, 1, 0])
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model/byteorder", "middle")
    with pytest.raises(WeightsError, match="byte order"):
        read_pickled(path)


def test_the_stride_of_a_dimension_of_one_is_of_no_consequence(tmp_path: Path) -> None:
    pickled = state_dict("zip", 4, shape=(1, 4), strides=(2**70, 1))
    path = save(tmp_path / "model.bin", "zip", pickled, {"0": FOUR})
    np.testing.assert_array_equal(read_pickled(path)["a"].array(), [[0, 1, 2, 3]])


@pytest.mark.parametrize("form", FORMATS)
def test_only_the_bytes_of_a_tensor_are_read(tmp_path: Path, form: str) -> None:
    count = 8 << 20
    pickled = state_dict(form, count, offset=count - 4)
    path = save(tmp_path / "model.bin", form, pickled, {"0": bytes(4 * count - 16) + FOUR})
    tracemalloc.start()
    try:
        array = read_pickled(path)["a"].array()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(array, [0, 1, 2, 3])
    assert peak < 6 << 20  # of which the start of an old file, with its pickle, is 4


def impossible() -> Iterator[tuple[str, dict[str, Any]]]:
    """Views that do not fit into a storage of four numbers."""
    yield "outside", {"offset": 1}
    yield "outside", {"shape": (5,)}
    yield "outside", {"strides": (2,)}
    yield "outside", {"shape": (2, 2), "strides": (2**62, 1)}
    yield "outside", {"offset": 2**64 - 1, "shape": (1,)}
    yield "outside", {"offset": 2**2000, "shape": (1,)}
    yield "larger", {"shape": (2**20, 2**20), "strides": (0, 0)}
    yield "shape", {"shape": (-1,)}
    yield "shape", {"shape": (2**40, 2**40, 0), "strides": (0, 0, 0)}
    yield "shape", {"shape": (1,) * 70, "strides": (1,) * 70}
    yield "shape", {"shape": (2, 2)}
    yield "shape", {"shape": (2.0,)}
    yield "shape", {"shape": 4}
    yield "strides", {"strides": (-1,)}
    yield "strides", {"strides": ("1",)}
    yield "strides", {"offset": -1}
    yield "strides", {"offset": None}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("complaint", "view"), list(impossible()))
def test_a_tensor_beyond_its_storage(
    tmp_path: Path, form: str, complaint: str, view: dict[str, Any]
) -> None:
    path = save(tmp_path / "model.bin", form, state_dict(form, 4, **view), {"0": FOUR})
    with pytest.raises(WeightsError, match=f"model.bin is damaged.*{complaint}"):
        read_all(path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("count", [0, 3, 5, 2**31, 2**62, 2**64, -4])
def test_a_storage_of_another_size_than_claimed(tmp_path: Path, form: str, count: int) -> None:
    path = save(tmp_path / "model.bin", form, state_dict(form, count, shape=(0,)), {"0": FOUR})
    with pytest.raises(WeightsError, match=r"model\.bin is damaged.*storage"):
        read_pickled(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_storage(tmp_path: Path, form: str) -> None:
    path = save(tmp_path / "model.bin", form, state_dict(form, 4, key="1"), {})
    with pytest.raises(
        WeightsError, match=r"model\.bin is damaged .*(missing|all of its storages)"
    ):
        read_pickled(path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("other", [{"kind": "Int"}, {"count": 2}])
def test_a_storage_is_of_one_kind(tmp_path: Path, form: str, other: dict[str, Any]) -> None:
    first = state_dict(form, 4).removesuffix(b".")
    second = state_dict(form, **{"count": 4, "shape": (1,), **other}).removeprefix(b"\x80\x02")
    pickled = first + part("b") + second.removesuffix(b".") + b"s."
    path = save(tmp_path / "model.bin", form, pickled, {"0": FOUR})
    with pytest.raises(WeightsError, match="contradicts itself about the storage '0'"):
        read_pickled(path)


@pytest.mark.parametrize(("at", "value"), [(0, b"PX"), (28, b"\xff\xff")])
def test_a_zip_entry_is_where_it_should_be(tmp_path: Path, at: int, value: bytes) -> None:
    path = save(tmp_path / "model.bin", "zip", state_dict("zip", 4), {"0": FOUR})
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("model/data/0").header_offset
    with path.open("r+b") as file:
        file.seek(start + at)
        file.write(value)
    with pytest.raises(WeightsError, match="'model/data/0' is not where it should be"):
        read_pickled(path)


def test_what_is_compressed_or_endless(tmp_path: Path) -> None:
    path = save(tmp_path / "long.bin", "zip", b"N" * (5 << 20) + b".", {})
    with pytest.raises(WeightsError, match=r"long\.bin is damaged .*data.pkl would have 5,242,881"):
        read_pickled(path)
    path = tmp_path / "bomb.bin"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", state_dict("zip", 4))
        archive.writestr("model/data/0", FOUR)
    with pytest.raises(WeightsError, match=r"bomb\.bin is damaged .'model/data.pkl' is compressed"):
        read_pickled(path)
    path = save(tmp_path / "same.bin", "zip", state_dict("zip", 4), {"0": FOUR})
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo("model/data/0").compress_type = zipfile.ZIP_DEFLATED
        archive.comment = b"a reason to write the entries again"
    with pytest.raises(WeightsError, match=r"same\.bin is damaged .'model/data/0' is compressed"):
        read_pickled(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git-lfs pointer"),
        (json.dumps({"error": "Entry not found"}).encode(), "not written by PyTorch"),
        (b"\x80\x02K\x01.", "not of PyTorch"),
        (b"\x80\x02]" + b"]" * 100, "damaged"),
        (b"PK\3\4" + bytes(60), "damaged"),
    ],
)
def test_what_is_found_in_the_place_of_weights(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{path} .*{complaint}.*download it again"):
        read_pickled(path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("content", [{}, [1], {"state_dict": {}}, {"epoch": 3}])
def test_a_checkpoint_without_tensors(tmp_path: Path, form: str, content: object) -> None:
    path = save(tmp_path / "model.bin", form, part(content) + b".", {})
    with pytest.raises(WeightsError, match=r"no (tensors|state dict)"):
        read_pickled(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        read_pickled(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize("form", FORMATS)
def test_every_cut_is_noticed(tmp_path: Path, form: str) -> None:
    path = save(tmp_path / "model.bin", form, state_dict(form, 4), {"0": FOUR})
    for _ in cuts(path):
        with pytest.raises(WeightsError):
            read_pickled(path)


@pytest.mark.parametrize("form", FORMATS)
def test_no_flipped_byte_is_worse_than_an_error(tmp_path: Path, form: str) -> None:
    small = save(tmp_path / "small.bin", form, state_dict(form, 4), {"0": FOUR})
    large = shutil.copy(CHECKPOINTS / f"{form}.bin", tmp_path)
    read = flips(small, 2000, read_all)
    tracemalloc.start()
    try:
        read += flips(Path(large), 150, read_all)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 200 < sum(read) < len(read) - 200
    assert peak < 8 << 20
