"""A safetensors file is whole, or is not read."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from mlx_clip.errors import WeightsError
from mlx_clip.safetensors_header import check_safetensors, read_safetensors
from tests.damage import cuts, flips
from tests.safetensors_files import ENTRIES, write


def entry(**changes: object) -> dict[str, object]:
    return {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12], **changes}}


def read_all(path: Path) -> None:
    """Read every tensor, or raise WeightsError."""
    for stored in read_safetensors(path).values():
        stored.array()


def test_a_whole_file_passes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "model.safetensors", {"__metadata__": {"format": "pt"}, **ENTRIES}, bytes(12)
    )
    check_safetensors(path)
    assert load_file(path).keys() == read_safetensors(path).keys() == ENTRIES.keys()


def test_a_header_whose_length_spells_the_start_of_a_page(tmp_path: Path) -> None:
    header = json.dumps(ENTRIES).encode().ljust(int.from_bytes(b" <", "little"))
    path = write(tmp_path / "model.safetensors", header, bytes(12))
    assert path.read_bytes().startswith(b" <")
    check_safetensors(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n<!doctype html>\n<html lang=en>" + b"x" * 1000, "is a web page"),
        (b'<?xml version="1.0"?><Error>', "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a git-lfs pointer"),
        (b"Entry not found", "is no safetensors file: its header would have [0-9,]+ bytes"),
        (b"PK\3\4" + bytes(4) + bytes(100), "is no safetensors file"),
        (
            (5 << 30).to_bytes(8, "little") + b"{}",
            "is no safetensors file: its header would have 5,368,709,120 bytes",
        ),
        (bytes(8), "is no safetensors file, its header makes no sense"),
        ((100).to_bytes(8, "little") + b"{}", "is cut off"),
        (b"abc", "is cut off"),
    ],
)
def test_what_is_found_in_the_place_of_weights(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{path} {complaint}.*download it again"):
        check_safetensors(path)


def nonsense() -> Iterator[bytes]:
    """Headers over twelve bytes of data."""
    yield from (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000)
    yield from (b'{"a": null}', b'{"a": []}', b'{"a": {}}')
    for key in ("dtype", "shape", "data_offsets"):
        yield json.dumps(entry(**{key: None})).encode()
    for changes in (
        {"dtype": 1},
        {"dtype": "F16"},
        {"shape": 3},
        {"shape": [4]},
        {"shape": [-3]},
        {"shape": [3.0]},
        {"shape": [True, 3]},
        {"shape": [1] * 70 + [3]},
        {"shape": [0, 2**62, 2**62], "data_offsets": [12, 12]},
        {"data_offsets": [0]},
        {"data_offsets": [0, 12, 12]},
        {"data_offsets": [12, 0]},
        {"data_offsets": [-12, 0]},
        {"data_offsets": [0.0, 12.0]},
    ):  # fmt: skip
        yield json.dumps(entry(**changes)).encode()


@pytest.mark.parametrize("header", list(nonsense()), ids=lambda header: repr(header[:60]))
def test_a_header_without_sense(tmp_path: Path, header: bytes) -> None:
    path = write(tmp_path / "model.safetensors", header, bytes(12))
    with pytest.raises(WeightsError, match="header makes no sense"):
        check_safetensors(path)


@pytest.mark.parametrize(
    ("first", "second"), [([0, 8], [4, 12]), ([0, 4], [8, 12]), ([4, 8], [8, 12])]
)
def test_tensors_lie_end_to_end(tmp_path: Path, first: list[int], second: list[int]) -> None:
    header = {
        name: {"dtype": "U8", "shape": [offsets[1] - offsets[0]], "data_offsets": offsets}
        for name, offsets in {"a": first, "b": second}.items()
    }
    path = write(tmp_path / "model.safetensors", header, bytes(12))
    with pytest.raises(WeightsError, match="overlap or have gaps"):
        check_safetensors(path)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", ENTRIES, bytes(12))
    for length in cuts(path):
        with pytest.raises(WeightsError, match="is cut off" if length else "is empty"):
            check_safetensors(path)


def test_a_longer_file_than_its_header_says(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", ENTRIES, bytes(13))
    with pytest.raises(WeightsError, match=r"is too long: it has \d+ bytes instead of \d+"):
        check_safetensors(path)


def test_no_flipped_byte_is_worse_than_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", ENTRIES, bytes(12))
    tracemalloc.start()
    try:
        read = flips(path, 1500, read_all)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 50 < sum(read) < len(read) - 50
    assert peak < 1 << 20
