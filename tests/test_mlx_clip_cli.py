"""python -m mlx_clip embed, info and selftest, as somebody runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlx_clip import Encoder, load_encoder
from mlx_clip.__main__ import main
from mlx_clip.load import find_checkpoint
from mlx_clip.onnx_build import cached_folder
from mlx_clip.picture import open_picture
from mlx_clip.tensors import text_shapes, vision_shapes
from tests.pictures import fill
from tests.test_checkpoints import HERE, KINDS

ROOT = Path(__file__).parent.parent
BEAR = ROOT / "samples" / "animals" / "bear.png"
COMMANDS = ("embed", "info", "convert", "zeroshot", "selftest")

Output = pytest.CaptureFixture[str]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlx_clip", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def facts(output: str) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in output.splitlines())
    return {name.strip(): value for name, value in pairs}


def test_help_lists_the_commands_and_each_says_what_it_takes(capsys: Output) -> None:
    for arguments in [["--help"], *([command, "--help"] for command in COMMANDS)]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert ("--model NAME" in said) == (arguments != ["--help"])
        assert all(command in said for command in COMMANDS if len(arguments) == 1)


def test_vectors_come_in_the_order_of_the_command_line(encoder: Encoder) -> None:
    done = run("embed", "--model", "starter", "--text", "a dog", "--image", BEAR, "--text", "a cat")
    assert done.returncode == 0, done.stderr
    found = [np.array(json.loads(line)["vector"]) for line in done.stdout.splitlines()]
    dog, cat = encoder.encode_texts(["a dog", "a cat"])
    (bear,) = encoder.encode_images(encoder.preprocess(open_picture(BEAR))[None])
    for vector, wanted in zip(found, (dog, bear, cat), strict=True):
        np.testing.assert_allclose(vector, wanted, atol=1e-5)


def test_a_checkpoint_is_embedded_with_the_precision_asked_for(
    tmp_path: Path, capsys: Output
) -> None:
    model = str(HERE / "clip")
    for precision in ("float32", "int8"):
        arguments = ["--runtime", "onnx", "--precision", precision, "--cache", str(tmp_path)]
        assert main(["embed", "--model", model, *arguments, "--text", "a dog"]) == 0
        vector = json.loads(capsys.readouterr().out)["vector"]
        other = load_encoder(model, runtime="onnx", precision=precision, cache=tmp_path)
        np.testing.assert_array_equal(np.float32(vector), other.encode_texts(["a dog"])[0])
    assert sorted(path.name[-7:] for path in (tmp_path / "onnx").iterdir() if path.is_dir()) == [
        "at32-v2",
        "int8-v2",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--text", "a dog", "--image", "no-such.jpg"], "input 2 of 2, --image: no-such.jpg"),
        (["--text", "a dog", "--image", "README.md"], "README.md is no picture"),
        (["--image", str(BEAR), "--text", " "], "input 2 of 2, --text: the text is empty"),
        (["--text", "x" * 100_000], "--text: the text has 100,000 characters"),
        ([], "give a --text or an --image"),
    ],
)
def test_what_cannot_be_encoded_is_one_sentence_and_prints_no_vector(
    arguments: list[str], sentence: str, capsys: Output
) -> None:
    assert main(["embed", "--model", "starter", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("mlx_clip: ")
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("command", ["embed --text x", "info", "convert out", "selftest"])
def test_an_unknown_model_is_one_sentence(
    command: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--model", "no-such-model"]) == 2
    assert "mlx_clip: there is no model 'no-such-model'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_whoever_reads_no_further_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "mlx_clip", "info", "--model", "starter"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_info_of_the_starter_model(capsys: Output, encoder: Encoder) -> None:
    assert main(["info", "--model", "starter"]) == 0
    said = facts(capsys.readouterr().out)
    assert said["name"] == encoder.name
    assert said["space"] == encoder.space
    assert said["dimensions"] == str(encoder.dim)
    assert said["input size"] == "260 x 260 pixels"
    assert (said["runtime"], said["why"]) == (str(encoder.runtime), encoder.runtime.why)
    assert said["parameters"] == "29,838,551"


@pytest.mark.parametrize("kind", KINDS)
def test_info_of_a_checkpoint(kind: str, tmp_path: Path, capsys: Output) -> None:
    model = str(HERE / kind)
    arguments = ["--model", model, "--runtime", "onnx", "--cache", str(tmp_path)]
    assert main(["info", *arguments]) == 0
    said = facts(capsys.readouterr().out)
    checkpoint = find_checkpoint(model)
    encoder = load_encoder(model, runtime="onnx", cache=tmp_path)
    assert said["space"] == encoder.space == checkpoint.space
    assert said["revision"] == checkpoint.revision
    assert said["dimensions"] == str(encoder.dim)
    assert said["input size"] == f"{encoder.image_size} x {encoder.image_size} pixels"
    assert said["context length"] == f"{checkpoint.tokenizer.length} tokens"
    shapes = vision_shapes(checkpoint.config) | text_shapes(checkpoint.config)
    parameters = sum(checkpoint.tensors[name].size for name in shapes)
    assert said["parameters"] == f"{parameters:,}"
    assert (said["runtime"], said["why"]) == (str(encoder.runtime), encoder.runtime.why)


def test_info_tells_int8s_cosine_once_it_was_made(tmp_path: Path, capsys: Output) -> None:
    model = str(HERE / "clip")
    arguments = ["--model", model, "--cache", str(tmp_path)]
    main(["info", *arguments])
    assert "cosine to float32" not in facts(capsys.readouterr().out)
    load_encoder(model, runtime="onnx", precision="int8", cache=tmp_path)
    capsys.readouterr()
    main(["info", *arguments, "--runtime", "onnx", "--precision", "int8"])
    said = facts(capsys.readouterr().out)
    folder = cached_folder(find_checkpoint(model), "int8", tmp_path)
    cosine = json.loads((folder / "config.json").read_text(encoding="utf-8"))["cosine_to_float32"]
    assert f"{cosine['pictures']:.4f} for pictures" in said["cosine to float32"]
    assert said["space"].endswith("/int8-by-row")


def test_info_without_a_model_says_what_models_run_on(tmp_path: Path, capsys: Output) -> None:
    assert main(["info", "--runtime", "onnx", "--cache", str(tmp_path)]) == 0
    said = facts(capsys.readouterr().out)
    assert said["runtime"] == "ONNX Runtime on the CPU, float32"
    assert said["made of them"] == str(tmp_path)
    assert "SigLIP" in said["supported"]


@pytest.mark.parametrize("kind", KINDS)
def test_selftest_passes_where_both_runtimes_agree(
    kind: str, tmp_path: Path, capsys: Output
) -> None:
    pytest.importorskip("mlx.core")
    fill(tmp_path / "pictures", 3)
    (tmp_path / "pictures" / "notes.txt").write_text("no picture", encoding="utf-8")
    arguments = ["--pictures", str(tmp_path / "pictures"), "--cache", str(tmp_path)]
    assert main(["selftest", "--model", str(HERE / kind), *arguments]) == 0
    said = capsys.readouterr()
    assert "3 pictures: cosine 1.0" in said.out
    assert "16 texts: cosine 1.0" in said.out
    assert said.out.endswith("passed\n")
    assert "notes.txt" in said.err


def test_selftest_fails_where_they_differ(tmp_path: Path, capsys: Output) -> None:
    """The graph that ONNX Runtime has is that of other weights."""
    pytest.importorskip("mlx.core")
    made = []
    for kind in ("clip", "clip_gelu"):
        load_encoder(str(HERE / kind), runtime="onnx", cache=tmp_path)
        made.append(cached_folder(find_checkpoint(str(HERE / kind)), "float32", tmp_path))
    shutil.copyfile(made[1] / "text.onnx.data", made[0] / "text.onnx.data")
    fill(tmp_path / "pictures", 2)
    arguments = ["--pictures", str(tmp_path / "pictures"), "--cache", str(tmp_path)]
    assert main(["selftest", "--model", str(HERE / "clip"), *arguments]) == 1
    said = capsys.readouterr().out
    assert "2 pictures: cosine 1.0" in said
    assert "failed: " in said


def test_selftest_without_mlx_says_so() -> None:
    script = (
        "import sys; sys.modules['mlx.core'] = None\n"
        "from mlx_clip.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "selftest", "--model", str(HERE / "clip")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "pip install mlx" in done.stderr
    assert "Traceback" not in done.stderr
