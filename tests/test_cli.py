"""The command lines, as somebody runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.pictures import fill

ROOT = Path(__file__).parent.parent


def run(
    module: str, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_json_is_one_object_on_standard_output(photos_dir: Path, data: Path) -> None:
    fill(photos_dir, 4)
    (photos_dir / "broken.png").write_bytes(b"x")
    done = run("crawler", photos_dir, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary.pop("seconds") > 0
    assert summary == {
        "files": 5,
        "pictures": 4,
        "encoded": 4,
        "skipped": 0,
        "failed": 1,
        "missing": 0,
        "indexed": 4,
        "model": "starter-lite2-minilm",
    }


def test_the_summary_names_the_file_that_failed_and_why(photos_dir: Path, data: Path) -> None:
    fill(photos_dir, 2)
    (photos_dir / "empty.png").touch()
    done = run("crawler", photos_dir, "--data", data)
    assert done.returncode == 0
    assert f"{photos_dir}/empty.png: the file is empty" in done.stdout
    failures = run("library", "failures", "--data", data)
    assert failures.stdout == (
        f"{photos_dir}/empty.png: the file is empty\n"
        "Files that could not be read: 1 (1 x the file is empty). "
        "python -m crawler --retry tries them again.\n"
    )
    listed = json.loads(run("library", "failures", "--data", data, "--json").stdout)
    assert listed["failures"][0]["reason"] == "the file is empty"


def test_a_second_run_says_that_there_was_nothing_to_do(photos_dir: Path, data: Path) -> None:
    fill(photos_dir, 2)
    run("crawler", photos_dir, "--data", data)
    again = run("crawler", "--data", data)  # the folder is remembered
    assert again.returncode == 0
    assert "Nothing to do: all 2 files are known and unchanged." in again.stdout


def test_with_nothing_to_do_nothing_that_reads_or_encodes_is_loaded(
    photos_dir: Path, data: Path
) -> None:
    fill(photos_dir, 2)
    run("crawler", photos_dir, "--data", data)
    script = (
        "import sys; from crawler.__main__ import main; status = main(); "
        "print(sorted({'numpy', 'PIL', 'onnxruntime', 'chromadb', 'rich', 'tokenizers', 'dotenv'}"
        " & set(sys.modules))); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--data", data],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Nothing to do" in done.stdout, done.stderr
    assert done.stdout.endswith("[]\n")


def test_an_index_that_was_deleted_is_made_again_by_the_next_crawl(
    photos_dir: Path, data: Path
) -> None:
    fill(photos_dir, 3)
    run("crawler", photos_dir, "--data", data)
    shutil.rmtree(data / "chroma")
    done = run("library", "status", "--data", data)
    assert "holds 0 of 3 vectors; there is none yet, or no more" in done.stdout
    assert run("crawler", "--data", data).returncode == 0
    status = json.loads(run("library", "status", "--data", data, "--json").stdout)
    assert (status["index"]["holds"], status["vectors"]) == (3, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/no/such/folder"], "no such folder: /no/such/folder"),
        ([], "which folder?"),
        (["{photos}", "--exclude", "/"], "--exclude /: a pattern needs a name in it"),
        (["{photos}", "--include", "x"], "--include x: that is not excluded, but nothing"),
        (["{photos}", "--model", "no-such-model"], "there is no model 'no-such-model'"),
        (["{photos}", "--model", "no/such-model"], "the model hub at http://127.0.0.1:9 cannot"),
    ],
)
def test_unusable_arguments_are_one_sentence_and_status_2(
    arguments: list[str], sentence: str, photos_dir: Path, data: Path
) -> None:
    filled = [argument.format(photos=photos_dir) for argument in arguments]
    done = run("crawler", *filled, "--data", data, IMAGE_DIRECTORY="")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_model_that_does_not_load_is_one_sentence(
    photos_dir: Path, data: Path, tmp_path: Path
) -> None:
    fill(photos_dir, 1)
    model = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "starter", model)
    (model / "image.onnx").write_bytes(b"x" * 1000)
    done = run("crawler", photos_dir, "--data", data, "--model", model)
    assert done.returncode == 2
    assert f"the model in {model} does not load" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_one_sentence(photos_dir: Path, data: Path) -> None:
    done = run("crawler", photos_dir, "--data", data, MAX_IMAGE_MEGAPIXELS="lots")
    assert done.returncode == 2
    assert "MAX_IMAGE_MEGAPIXELS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_crawl_is_told_that_it_is_the_second(photos_dir: Path, data: Path) -> None:
    fill(photos_dir, 1)
    data.mkdir()
    with FileLock(data / "crawl.lock"):
        done = run("crawler", photos_dir, "--data", data)
    assert done.returncode == 1
    assert "another crawl is at work" in done.stderr


def test_a_library_that_is_no_database_is_left_alone(photos_dir: Path, data: Path) -> None:
    data.mkdir()
    (data / "library.sqlite").write_bytes(b"a diary " * 100)
    done = run("crawler", photos_dir, "--data", data)
    assert done.returncode == 1
    assert "library.sqlite" in done.stderr
    assert (data / "library.sqlite").read_bytes() == b"a diary " * 100


@pytest.mark.fault("disk full")
@pytest.mark.parametrize("limit", [2_000, 60_000, 200_000, 400_000])
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(
    limit: int, photos_dir: Path, data: Path
) -> None:
    """A limit on the size of a file stands for the disk: the list, SQLite, thumbnails, Chroma."""
    fill(photos_dir, 60)
    command = f"ulimit -f {limit // 512}; exec {sys.executable} -m crawler {photos_dir}"
    done = subprocess.run(
        ["sh", "-c", f"{command} --data {data} --json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    if done.returncode == 0:  # only the index did not fit
        assert "Not indexed here" in done.stderr
    else:
        assert done.returncode == 1
        assert done.stderr.count("crawler: ") == 1
    summary = json.loads(run("crawler", photos_dir, "--data", data, "--json").stdout)
    assert (summary["pictures"], summary["indexed"], summary["failed"]) == (60, 60, 0)


def test_status_without_a_library(data: Path) -> None:
    done = run("library", "status", "--data", data)
    assert done.returncode == 2
    assert f"there is no library in {data}" in done.stderr
    assert not data.exists()


def test_image_directory_is_crawled_when_no_folder_is_named(photos_dir: Path, data: Path) -> None:
    fill(photos_dir, 2)
    done = run("crawler", "--data", data, "--json", IMAGE_DIRECTORY=str(photos_dir))
    assert json.loads(done.stdout)["pictures"] == 2
