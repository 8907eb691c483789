"""Which model a library has: chosen once, recorded, and kept at the commit that it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.model import open_encoder_later
from library import meta, spaces
from library.database import Database
from library.settings import Settings
from mlx_clip import DEFAULT
from mlx_clip.onnx_encoder import OnnxEncoder
from tests.hub_fixtures import server as server
from tests.hub_server import HubServer
from tests.pictures import fill

ROOT = Path(__file__).parent.parent
CHECKPOINT = Path(__file__).parent / "checkpoints" / "clip"


def clip_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in CHECKPOINT.iterdir()}


def crawl(
    base: Path, endpoint: str = "http://127.0.0.1:9", **environment: str
) -> subprocess.CompletedProcess[str]:
    settings = {
        "CLIP_MODEL": "auto",
        "DATA_DIR": str(base / "data"),
        "HF_HOME": str(base / "hub"),
        "HF_ENDPOINT": endpoint,
        "MODEL_CACHE": str(base / "cache"),
        "CLIP_RUNTIME": "onnx",
    }
    return subprocess.run(
        [sys.executable, "-m", "crawler", str(base / "photos"), "--json"],
        cwd=ROOT,
        env={**os.environ, **settings, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def base(tmp_path: Path) -> Path:
    fill(tmp_path / "photos", 2)
    return tmp_path


def test_auto_is_the_starter_model_where_no_hub_answers(base: Path) -> None:
    done = crawl(base)
    assert summary(done)["model"].startswith("starter")
    assert f"make run CLIP_MODEL={DEFAULT}" in done.stderr


def test_auto_is_a_clip_where_the_hub_answers_and_stays_it(base: Path, server: HubServer) -> None:
    commit = server.add(DEFAULT, clip_files())
    first = summary(crawl(base, server.endpoint))
    assert (first["model"], first["encoded"]) == (DEFAULT, 2)
    database = Database(base / "data" / "library.sqlite")
    (space,) = spaces.spaces(database.connection)
    database.close()
    assert space.key == f"{DEFAULT}@{commit}/p1"
    without_network = summary(crawl(base))
    assert (without_network["model"], without_network["encoded"]) == (DEFAULT, 0)


def test_a_library_that_began_with_the_starter_keeps_it(base: Path, server: HubServer) -> None:
    crawl(base)
    server.add(DEFAULT, clip_files())
    assert summary(crawl(base, server.endpoint))["model"].startswith("starter")
    assert summary(crawl(base, server.endpoint, CLIP_MODEL=DEFAULT))["encoded"] == 2


def test_a_library_keeps_its_commit_when_the_name_moves_on(base: Path, server: HubServer) -> None:
    server.add(DEFAULT, clip_files())
    assert summary(crawl(base, server.endpoint))["encoded"] == 2
    server.add(DEFAULT, {**clip_files(), "merges.txt": b"#version: 0.2\n"})
    elsewhere = {"HF_HOME": str(base / "another hub"), "MODEL_CACHE": str(base / "another cache")}
    assert summary(crawl(base, server.endpoint, **elsewhere))["encoded"] == 0


def test_a_model_that_does_not_load_is_not_recorded(base: Path, server: HubServer) -> None:
    files = clip_files()
    server.add(DEFAULT, {**files, "model.safetensors": files["model.safetensors"][:-4]})
    done = crawl(base, server.endpoint)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    database = Database(base / "data" / "library.sqlite")
    assert meta.model(database.connection) is None
    database.close()


@pytest.mark.parametrize(
    ("setting", "value"), [("CLIP_RUNTIME", "torch"), ("CLIP_PRECISION", "int4")]
)
def test_a_runtime_that_is_none_is_one_sentence(base: Path, setting: str, value: str) -> None:
    done = crawl(base, CLIP_MODEL="starter", **{setting: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"crawler: {setting} is {value!r}: use auto, ")


def test_a_commit_is_pinned_only_where_a_space_names_one(database: Database) -> None:
    connection = database.connection
    commit = "0123456789abcdef0123456789abcdef01234567"
    spaces.space(connection, f"org/model@{commit}/p1", 8)
    spaces.space(connection, "folder@0123456789ab/p1", 8)
    assert meta.pinned(connection, "org/model") == f"org/model@{commit}"
    assert meta.pinned(connection, "org/other") == "org/other"
    assert meta.pinned(connection, "folder") == "folder"
    assert meta.pinned(connection, f"org/model@{commit}") == f"org/model@{commit}"


def test_a_model_that_is_what_it_was_is_loaded_when_it_is_needed(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    connection = database.connection
    folder = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "starter", folder)
    chosen = replace(settings, clip_model=str(folder))
    first = open_encoder_later(connection, chosen)
    later = open_encoder_later(connection, chosen)
    assert isinstance(first, OnnxEncoder) and not isinstance(later, OnnxEncoder)
    assert (later.name, later.space, later.dim) == (first.name, first.space, first.dim)
    assert (later.image_size, str(later.runtime)) == (first.image_size, str(first.runtime))
    for other in (replace(chosen, clip_model="starter"), replace(chosen, clip_runtime="onnx")):
        assert isinstance(open_encoder_later(connection, other), OnnxEncoder)
    open_encoder_later(connection, chosen)
    text = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(text.replace("starter-", "other-"), encoding="utf-8")
    changed = open_encoder_later(connection, chosen)
    assert isinstance(changed, OnnxEncoder)
    assert changed.space != first.space
