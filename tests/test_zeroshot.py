"""python -m mlx_clip zeroshot: accuracy over folders of classes."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlx_clip import Encoder, PictureError, open_picture
from mlx_clip.__main__ import main
from mlx_clip.labelled import open_dataset, read_names
from mlx_clip.templates import TEMPLATES
from mlx_clip.zeroshot import Outcome, class_vectors
from tests.pictures import drawing
from tests.test_checkpoints import HERE

pytest.importorskip("mlx.data")

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"
CLASSES = ("animals", "buildings", "food", "music", "things", "vehicles")
BEAR = SAMPLES / "animals" / "bear.png"

Output = pytest.CaptureFixture[str]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Every twelfth sample picture of six classes, in every format."""
    for name in CLASSES:
        (tmp_path / "data" / name).mkdir(parents=True)
        for path in sorted((SAMPLES / name).iterdir())[3::12]:
            shutil.copy(path, tmp_path / "data" / name)
    return tmp_path / "data"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def zeroshot(dataset: Path, *more: str) -> int:
    """With random weights, for tests that look at all but the guesses."""
    model = ["--model", str(HERE / "clip"), "--runtime", "onnx", "--cache", f"{dataset}.cache"]
    return main(["zeroshot", *model, "--dataset", str(dataset), *more])


def measured(output: str) -> dict[str, float]:
    return {top: float(value) for top, value in re.findall(r"(top-\d): ([\d.]+)%", output)}


def accuracies(encoder: Encoder, dataset: Path) -> dict[str, float]:
    """The same by another way: picture by picture, and class by class."""
    sentences = {
        name: encoder.encode_texts([template.format(name) for template in TEMPLATES])
        for name in CLASSES
    }
    paths = sorted(dataset.glob("*/*"))
    ranks = []
    for path in paths:
        (picture,) = encoder.encode_images(encoder.preprocess(open_picture(path))[None])
        scores = {
            name: picture @ of_class.sum(axis=0) / np.linalg.norm(of_class.sum(axis=0))
            for name, of_class in sentences.items()
        }
        ranks.append(sum(score > scores[path.parent.name] for score in scores.values()))
    count = len(paths)
    return {
        "top-1": round(100 * sum(rank < 1 for rank in ranks) / count, 2),
        "top-5": round(100 * sum(rank < 5 for rank in ranks) / count, 2),
    }


def test_the_accuracy_is_the_one_found_picture_by_picture(
    dataset: Path, encoder: Encoder, capsys: Output
) -> None:
    assert main(["zeroshot", "--model", "starter", "--dataset", str(dataset)]) == 0
    said = capsys.readouterr()
    count = len(list(dataset.glob("*/*")))
    assert f"pictures: {count} of 6 classes, 0 skipped" in said.out
    assert measured(said.out) == accuracies(encoder, dataset)
    assert 60 < measured(said.out)["top-1"] < 100
    assert "starter-lite2-minilm, ONNX Runtime on the CPU" in said.out
    assert said.err == ""


def test_a_class_is_the_mean_of_its_sentences(encoder: Encoder) -> None:
    vectors = class_vectors(encoder, ["dog", "polar bear"])
    sentences = encoder.encode_texts([template.format("polar bear") for template in TEMPLATES])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    wanted = sentences.sum(axis=0) / np.linalg.norm(sentences.sum(axis=0))
    np.testing.assert_allclose(vectors[1], wanted, atol=1e-6)


def test_pictures_are_those_that_encoders_get_elsewhere(dataset: Path) -> None:
    """Upright and in every format, which mlx-data's own decoder gives neither of."""
    exif = drawing(1).getexif()
    exif[0x0112] = 6
    drawing(1).save(dataset / "animals" / "turned.jpg", exif=exif)
    shutil.copy(SAMPLES / "animals" / "crab.heic", dataset / "animals")
    shutil.copy(SAMPLES / "animals" / "heron.avif", dataset / "animals")
    paths = sorted(dataset.glob("*/*"))
    opened = list(open_dataset(str(dataset)))
    assert len(opened) == len(paths)
    for (picture, label), path in zip(opened, paths, strict=True):
        assert CLASSES[label] == path.parent.name
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(open_picture(path)))


def test_a_broken_picture_is_skipped_counted_and_named(dataset: Path, capsys: Output) -> None:
    whole = len(list(dataset.glob("*/*")))
    (dataset / "food" / "empty.png").touch()
    (dataset / "food" / "cut.png").write_bytes(BEAR.read_bytes()[:3000])
    (dataset / "food" / ".DS_Store").write_bytes(b"x")
    assert zeroshot(dataset) == 0
    said = capsys.readouterr()
    assert f"pictures: {whole} of 6 classes, 2 skipped" in said.out
    assert f"skipped: {dataset}/food/cut.png" in said.err
    assert f"skipped: {dataset}/food/empty.png" in said.err
    assert said.err.count("skipped") == 2


def test_a_file_that_vanished_is_skipped_and_the_others_are_not(dataset: Path) -> None:
    opened = open_dataset(str(dataset))
    paths = sorted(dataset.glob("*/*"))
    paths[2].unlink()
    pictures = [picture for picture, _ in opened]
    assert isinstance(pictures[2], PictureError)
    assert str(paths[2]) in str(pictures[2])
    np.testing.assert_array_equal(np.asarray(pictures[3]), np.asarray(open_picture(paths[3])))
    assert sum(isinstance(picture, PictureError) for picture in pictures) == 1


def test_any_file_name_will_do(tmp_path: Path, capsys: Output) -> None:
    for name in (b"caf\xe9.png", b"a b\nc.png", "é🎂.png".encode()):
        for folder in ("brown_bear", "teddy_bear"):
            (tmp_path / folder).mkdir(exist_ok=True)
            shutil.copy(BEAR, tmp_path / folder / os.fsdecode(name))
    assert zeroshot(tmp_path) == 0
    said = capsys.readouterr().out
    assert "pictures: 6 of 2 classes, 0 skipped" in said
    assert "teddy bear" in said  # half of them are taken for the other: as one says it
    assert "top-5" not in said


def test_a_limit_takes_the_same_pictures_of_all_classes_each_time() -> None:
    some, again = (list(open_dataset(str(SAMPLES), limit=60)) for _ in range(2))
    assert len(some) == 60
    labels = [label for _, label in some]
    assert labels == [label for _, label in again] == sorted(labels)
    assert len(set(labels)) >= 6


def test_folders_can_be_named_by_a_file(tmp_path: Path) -> None:
    for number in ("n01", "n02", "n03"):
        (tmp_path / number).mkdir()
        shutil.copy(BEAR, tmp_path / number)
    names = tmp_path / "names.txt"
    names.write_text("n02 polar bear\n\nn01\ttench\nn03  great grey owl \n", encoding="utf-8")
    dataset = open_dataset(str(tmp_path), read_names(names))
    assert dataset.classes == ["tench", "polar bear", "great grey owl"]


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        ([], ["--dataset", "{tmp}/none"], "there is no folder"),
        (["a/x.txt"], [], "is no folder of class folders"),
        (["a/.x", "b/.x"], [], "is no folder of class folders"),
        (["a/x.png", "b/y.png"], [], "none of the 2 pictures can be read"),
        (["a/x.png", "b/y.png"], ["--limit", "0"], "--limit is 0"),
        (["a/x.png", "b/y.png"], ["--names", "{tmp}/none.txt"], "none.txt cannot be read"),
        (["a/x.png", "b/y.png"], ["--names", "{tmp}/a/x.png"], "--names does not name"),
    ],
)
def test_unusable_datasets_are_one_sentence(
    make: list[str], arguments: list[str], sentence: str, tmp_path: Path, capsys: Output
) -> None:
    for name in make:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    filled = [argument.format(tmp=tmp_path) for argument in arguments]
    assert zeroshot(tmp_path, *filled) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = [line for line in said.err.splitlines() if not line.startswith("Making")]
    assert line.startswith("mlx_clip: ")
    assert sentence in line


def test_without_mlx_data_it_is_said_how_to_have_it() -> None:
    script = (
        "import sys; sys.modules['mlx.data'] = None\n"
        "from mlx_clip.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["zeroshot", "--model", "starter", "--dataset", "samples"]
    done = run("-c", script, *arguments)
    assert done.returncode == 2
    assert "pip install mlx-data" in done.stderr
    assert "Traceback" not in done.stderr


def test_cifar10_is_loaded_by_mlx_data(tmp_path: Path) -> None:
    """From files such as mlx-data leaves behind after its download."""
    folder = tmp_path / ".cache" / "mlx.data" / "cifar"
    folder.mkdir(parents=True)
    pictures = [np.asarray(drawing(seed, (32, 32))) for seed in range(30)]
    samples = [{"image": image, "label": seed % 10} for seed, image in enumerate(pictures)]
    (folder / "cifar10_test.pkl").write_bytes(pickle.dumps(samples))
    model = ["--model", str(HERE / "clip"), "--runtime", "onnx", "--cache", str(tmp_path)]
    arguments = [*model, "--dataset", "cifar10", "--limit", "20"]
    done = run("-m", "mlx_clip", "zeroshot", *arguments, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "pictures: 20 of 10 classes, 0 skipped" in done.stdout
    assert measured(done.stdout).keys() == {"top-1", "top-5"}


def test_accuracy_and_the_worst_classes_are_counted_from_the_guesses() -> None:
    outcome = Outcome(
        ["cat", "dog", "owl"],
        np.array([0, 0, 0, 1, 1, 2]),
        np.array([[0, 1, 2], [1, 0, 2], [1, 2, 0], [1, 0, 2], [2, 1, 0], [2, 0, 1]]),
        [],
        1.0,
    )
    assert outcome.accuracy(1) == 3 / 6
    assert outcome.accuracy(2) == 5 / 6
    assert outcome.worst() == [
        "cat: 33.3% of 3, else mostly dog",
        "dog: 50.0% of 2, else mostly owl",
    ]
