"""python -m mlx_clip convert: one safetensors file from every layout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from mlx_clip import Encoder, Vectors, load_encoder
from mlx_clip.__main__ import main
from mlx_clip.config import read_config
from mlx_clip.load import find_checkpoint
from mlx_clip.transformers_config import model_config
from tests.test_checkpoints import HERE, KINDS, RUNTIMES, Golden

ROOT = Path(__file__).parent.parent

Output = pytest.CaptureFixture[str]


def convert(model: Path, out: Path, *more: str) -> int:
    return main(["convert", "--model", str(model), str(out), *more])


def vectors(encoder: Encoder, golden: Golden) -> Vectors:
    of_pictures = encoder.encode_images(golden.pixels(encoder))
    return np.concatenate([of_pictures, encoder.encode_texts(golden.texts)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the CLIP, for tests that damage it."""
    folder = tmp_path / "model"
    shutil.copytree(HERE / "clip", folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_stay_the_same_from_every_layout(kind: str, tmp_path: Path) -> None:
    out, golden = tmp_path / "out", Golden(kind)
    assert convert(HERE / kind, out) == 0
    before, after = (
        vectors(load_encoder(str(folder), runtime="onnx", cache=tmp_path), golden)
        for folder in (HERE / kind, out)
    )
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("kind", ["clip", "siglip2"])
@pytest.mark.parametrize(("runtime", "precision"), RUNTIMES)
def test_float16_is_read_by_both_runtimes(
    kind: str, runtime: str, precision: str, tmp_path: Path
) -> None:
    out, golden = tmp_path / "out", Golden(kind)
    assert convert(HERE / kind, out, "--dtype", "float16") == 0
    encoder = load_encoder(str(out), runtime=runtime, precision=precision, cache=tmp_path)
    wanted = np.concatenate([golden.of_pictures, golden.of_texts])
    assert (vectors(encoder, golden) * wanted).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_file_is_one_that_the_safetensors_library_reads(dtype: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(HERE / "siglip", out, "--dtype", dtype)
    wanted = load_file(HERE / "siglip" / "model.safetensors")
    written = load_file(out / "model.safetensors")
    assert written.keys() == wanted.keys()  # what only transformers needs, too
    for name, array in written.items():
        assert array.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(array, wanted[name].astype(dtype))
    with safe_open(out / "model.safetensors", "np") as file:
        assert file.metadata() == {"format": "mlx"}


@pytest.mark.parametrize("kind", KINDS)
def test_config_and_preprocessing_say_the_same_in_full(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(HERE / kind, out)
    before, after = find_checkpoint(str(HERE / kind)), find_checkpoint(str(out))
    assert after.config == before.config
    assert after.preprocessing == before.preprocessing
    for name, part in (("vision", before.config.vision), ("text", before.config.text)):
        said = json.loads((out / "config.json").read_text(encoding="utf-8"))[f"{name}_config"]
        assert {field: said[field] for field in part.__slots__} == {
            field: getattr(part, field) for field in part.__slots__
        }
    assert not list(out.glob("open_clip*"))


def test_a_text_tower_may_be_narrower_than_the_vectors(tmp_path: Path) -> None:
    """As in SigLIP 2's largest."""
    text = {"hidden_size": 64, "num_attention_heads": 4, "projection_size": 96}
    raw = {
        "model_type": "siglip",
        "vision_config": {"hidden_size": 96, "num_attention_heads": 4},
        "text_config": text,
    }
    (tmp_path / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    config = read_config(tmp_path)
    assert (config.dim, config.text.hidden_size) == (96, 64)
    written = json.dumps(model_config(config, "float32"))
    (tmp_path / "config.json").write_text(written, encoding="utf-8")
    assert read_config(tmp_path) == config


def test_a_folder_that_has_something_in_it_is_left_alone(tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "diary.txt").write_text("dear diary", encoding="utf-8")
    assert convert(HERE / "clip", out) == 2
    assert f"{out} is there already" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["diary.txt"]


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert convert(HERE / "clip", out) == 0
    assert (out / "model.safetensors").is_file()


def test_where_there_is_no_folder_to_write_to_none_is_made(tmp_path: Path, capsys: Output) -> None:
    assert convert(HERE / "clip", tmp_path / "no" / "out") == 2
    assert f"there is no folder {tmp_path / 'no'}" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_the_starter_model_has_nothing_to_convert(tmp_path: Path, capsys: Output) -> None:
    assert main(["convert", "--model", "starter", str(tmp_path / "out")]) == 2
    assert "starter is an ONNX model already" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_damaged_weights_leave_nothing_behind(model: Path, tmp_path: Path, capsys: Output) -> None:
    weights = model / "model.safetensors"
    os.truncate(weights, weights.stat().st_size - 100)
    assert convert(model, tmp_path / "out") == 2
    assert "model.safetensors" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [model]


def test_numbers_that_float16_cannot_hold_are_refused(
    model: Path, tmp_path: Path, capsys: Output
) -> None:
    arrays = load_file(model / "model.safetensors")
    arrays["text_projection.weight"][0, 0] = 70_000
    save_file(arrays, model / "model.safetensors")
    assert convert(model, tmp_path / "out", "--dtype", "float16") == 2
    assert "text_projection.weight has numbers too large" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [model]
    assert convert(model, tmp_path / "out") == 0


@pytest.mark.fault("disk full")
def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit on the size of a file stands for the disk."""
    command = f"ulimit -f 100; exec {sys.executable} -m mlx_clip convert --model {HERE / 'clip'} "
    done = subprocess.run(
        ["sh", "-c", command + str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("mlx_clip: ")
    assert done.stderr.count("\n") == 1
    assert "could not be written: File too large" in done.stderr
    assert not list(tmp_path.iterdir())
