"""Checkpoints in every layout of the Hub give their reference's vectors, on both runtimes.

tests/checkpoints holds tiny random models as transformers and open_clip wrote them, with the
vectors that those libraries gave (make.py there). `make parity` compares with the libraries alive.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlx_clip import (
    Encoder,
    Pixels,
    ShapeError,
    TokenizerError,
    Vectors,
    WeightsError,
    load_encoder,
)
from mlx_clip.onnx_build import is_complete

HERE = Path(__file__).parent / "checkpoints"
KINDS = ("clip", "clip_gelu", "siglip", "siglip2", "open_clip")
RUNTIMES = [("onnx", "float32")]
if importlib.util.find_spec("mlx"):
    RUNTIMES += [("mlx", "float32"), ("mlx", "float16")]


class Golden:
    def __init__(self, kind: str) -> None:
        with np.load(HERE / kind / "golden.npz") as stored:
            self.pictures = [
                Image.fromarray(stored[f"picture{n}"]) for n in range(len(stored["of_pictures"]))
            ]
            self.texts = [str(text) for text in stored["texts"]]
            self.seen: Pixels = stored["pixels"]
            self.of_pictures: Vectors = stored["of_pictures"]
            self.of_texts: Vectors = stored["of_texts"]

    def pixels(self, encoder: Encoder) -> Pixels:
        return np.stack([encoder.preprocess(picture) for picture in self.pictures])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("runtime", "precision"), RUNTIMES)
def test_vectors_are_the_references(
    tmp_path: Path, kind: str, runtime: str, precision: str
) -> None:
    golden = Golden(kind)
    encoder = load_encoder(str(HERE / kind), runtime=runtime, precision=precision, cache=tmp_path)
    for ours, theirs in (
        (encoder.encode_images(golden.seen), golden.of_pictures),
        (encoder.encode_texts(golden.texts), golden.of_texts),
    ):
        assert ours.dtype == np.float32
        assert ours.shape == theirs.shape == (len(theirs), encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
        if precision == "float32":
            assert np.abs(ours - theirs).max() <= 1e-4
        else:
            assert (ours * theirs).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_become_the_pixels_that_the_reference_saw(tmp_path: Path, kind: str) -> None:
    """On average to one step of 255: Pillow 13 rounds otherwise than 12 on noise of odd shapes."""
    golden = Golden(kind)
    encoder = load_encoder(str(HERE / kind), runtime="onnx", cache=tmp_path)
    assert np.abs(golden.pixels(encoder).astype(int) - golden.seen).mean() < 1


@pytest.mark.parametrize(("runtime", "precision"), RUNTIMES)
def test_a_vector_does_not_depend_on_its_batch(
    tmp_path: Path, runtime: str, precision: str
) -> None:
    golden = Golden("clip")
    encoder = load_encoder(str(HERE / "clip"), runtime=runtime, precision=precision, cache=tmp_path)
    pixels = golden.pixels(encoder)[[0, 1, 2, 3] * 5]
    alone = encoder.encode_images(pixels[7:8])[0]
    np.testing.assert_allclose(encoder.encode_images(pixels)[7], alone, atol=2e-3)
    together = encoder.encode_texts(golden.texts)
    for row, text in enumerate(golden.texts):
        np.testing.assert_allclose(together[row], encoder.encode_texts([text])[0], atol=2e-3)
    assert encoder.encode_texts([]).shape == (0, encoder.dim)
    assert encoder.encode_images(pixels[:0]).shape == (0, encoder.dim)


def test_the_runtimes_share_a_space(tmp_path: Path) -> None:
    spaces = {
        load_encoder(str(HERE / "clip"), runtime=runtime, precision=precision, cache=tmp_path).space
        for runtime, precision in RUNTIMES
    }
    assert len(spaces) == 1


def test_another_checkpoint_is_another_space(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    shutil.copytree(HERE / "clip", folder)
    before = load_encoder(str(folder), runtime="onnx", cache=tmp_path)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    after = load_encoder(str(folder), runtime="onnx", cache=tmp_path)
    assert before.space != after.space
    assert before.space.startswith("clip@")


def test_int8_says_how_near_it_is_and_has_a_space_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    golden = Golden("clip")
    exact = load_encoder(str(HERE / "clip"), runtime="onnx", cache=tmp_path)
    int8 = load_encoder(str(HERE / "clip"), runtime="onnx", precision="int8", cache=tmp_path)
    assert "Least cosine similarity to float32: 0.9" in capfd.readouterr().err
    assert int8.space == f"{exact.space}/int8-by-row"
    vectors = int8.encode_images(golden.pixels(int8))
    assert (vectors * golden.of_pictures).sum(axis=1).min() > 0.99
    assert (int8.encode_texts(golden.texts) * golden.of_texts).sum(axis=1).min() > 0.99
    (folder,) = (tmp_path / "onnx").glob("*-int8-*[0-9]")
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))["cosine_to_float32"]
    assert 0.99 < said["pictures"] < 1
    assert not (folder / "float32").exists()


def test_int8_vectors_do_not_depend_on_their_batch(tmp_path: Path) -> None:
    golden = Golden("siglip")
    int8 = load_encoder(str(HERE / "siglip"), runtime="onnx", precision="int8", cache=tmp_path)
    pixels = golden.pixels(int8)
    together = int8.encode_images(pixels)
    for row, one in enumerate(pixels):
        np.testing.assert_array_equal(together[row], int8.encode_images(one[None])[0])


class TestTheModelCache:
    def made(self, cache: Path) -> Path:
        load_encoder(str(HERE / "clip"), runtime="onnx", cache=cache)
        (folder,) = (path for path in (cache / "onnx").iterdir() if path.is_dir())
        return folder

    def test_a_model_is_made_ready_once(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in self.made(tmp_path).iterdir()}
        assert "Making clip ready for ONNX Runtime (float32)" in capfd.readouterr().err
        after = {path: path.stat().st_mtime_ns for path in self.made(tmp_path).iterdir()}
        assert before == after
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("name", ["image.onnx.data", "text.onnx", "tokenizer.json"])
    def test_a_damaged_one_is_made_again(self, tmp_path: Path, name: str) -> None:
        folder = self.made(tmp_path)
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1])
        assert not is_complete(folder)
        assert self.made(tmp_path) == folder
        assert (folder / name).read_bytes() == whole

    def test_what_a_killed_build_left_is_cleared_away(self, tmp_path: Path) -> None:
        folder = self.made(tmp_path)
        left = folder.with_name(f"{folder.name}.x.part")
        folder.rename(left)
        assert self.made(tmp_path) == folder
        assert not left.exists()

    def test_no_room_for_it_is_one_sentence_and_leaves_nothing(self, tmp_path: Path) -> None:
        """A limit on the size of files stands in for a full disk."""
        script = """
import resource, sys
from pathlib import Path
from mlx_clip import EncoderError, load_encoder
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    load_encoder(sys.argv[1], runtime="onnx", cache=Path(sys.argv[2]))
except EncoderError as error:
    print(error)
"""
        done = subprocess.run(
            [sys.executable, "-c", script, str(HERE / "clip"), str(tmp_path)],
            cwd=HERE.parent.parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "could not be made ready" in done.stdout, done.stderr
        assert "Make room there" in done.stdout
        assert [path.suffix for path in (tmp_path / "onnx").iterdir()] == [".lock"]


class TestABrokenCheckpoint:
    """Each has an error of its own, and leaves nothing in the cache."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(HERE / "clip", folder)
        return folder

    def check(self, folder: Path, error: type[Exception], message: str) -> None:
        cache = folder.with_name("cache")
        for runtime in {runtime for runtime, _ in RUNTIMES}:
            with pytest.raises(error, match=message):
                encoder = load_encoder(str(folder), runtime=runtime, cache=cache)
                encoder.encode_texts(["x"])
        assert not [path for path in cache.rglob("*") if path.suffix != ".lock" and path.is_file()]

    def test_truncated_weights(self, folder: Path) -> None:
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        self.check(folder, WeightsError, r"model\.safetensors")

    def test_no_weights(self, folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        self.check(folder, WeightsError, "pytorch_model.bin")

    def test_weights_of_another_model(self, folder: Path) -> None:
        shutil.copy(HERE / "siglip" / "model.safetensors", folder)
        self.check(folder, WeightsError, "lack vision_model|should be")

    def test_a_config_of_another_size(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["text_config"]["intermediate_size"] = 65
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        self.check(folder, ShapeError, "not of one model")

    def test_no_tokenizer(self, folder: Path) -> None:
        (folder / "vocab.json").unlink()
        self.check(folder, TokenizerError, "tokenizer")
