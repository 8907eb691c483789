"""A name to a folder: which files, which commit, and when the Hub is asked at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest

from mlx_clip import ModelNotFoundError
from mlx_clip.errors import UnsupportedModelError, WeightsError
from mlx_clip.hub import Hub
from tests.hub_fixtures import REPO, model, small_files, weights
from tests.hub_fixtures import cache as cache
from tests.hub_fixtures import hub as hub
from tests.hub_fixtures import server as server
from tests.hub_server import Files, HubServer

OTHERS = {
    "README.md": b"# A model",
    ".gitattributes": b"*.bin filter=lfs",
    "pytorch_model.bin": b"PK",
    "flax_model.msgpack": b"flax",
    "tf_model.h5": b"tf",
    "model.onnx": b"onnx",
    "onnx/model.onnx": b"onnx",
    "tokenizer.model": b"sentencepiece",
}


def by_another_program(server: HubServer, cache: Path, *names: str) -> None:
    for name in names:
        huggingface_hub.hf_hub_download(REPO, name, cache_dir=cache, endpoint=server.endpoint)
    server.forget()


def test_only_the_files_that_are_needed_are_asked_for(server: HubServer, hub: Hub) -> None:
    commit = server.add(REPO, model() | OTHERS)
    snapshot = hub.fetch(REPO)
    assert (snapshot.name, snapshot.commit) == (REPO, commit)
    assert server.asked() == set(model())
    assert {path.name: path.read_bytes() for path in snapshot.folder.iterdir()} == model()


def test_what_is_complete_is_used_without_a_request(
    server: HubServer, hub: Hub, cache: Path
) -> None:
    first = hub.fetch(f"{REPO}@{server.add(REPO, model())}")
    server.forget()
    assert hub.fetch(f"{REPO}@{first.commit}") == first
    by_name = hub.fetch(REPO)
    server.forget()
    assert Hub(cache, server.endpoint).fetch(REPO) == by_name == first
    assert Hub(cache, server.endpoint).answers(REPO, 1)
    assert not server.requests


def test_a_name_keeps_its_commit_when_its_branch_moves(server: HubServer, hub: Hub) -> None:
    old = server.add(REPO, model(1))
    assert hub.fetch(REPO).commit == old
    new = server.add(REPO, model(2))
    assert hub.fetch(REPO).commit == old
    assert hub.fetch(f"{REPO}@{new}").commit == new
    assert hub.fetch(REPO).commit == old


def test_a_damaged_cache_is_mended_at_the_same_commit(server: HubServer, hub: Hub) -> None:
    old = hub.fetch(f"{REPO}@{server.add(REPO, model(1))}")
    assert hub.fetch(REPO) == old
    server.add(REPO, model(2))
    (old.folder / "vocab.json").unlink()
    server.forget()
    assert hub.fetch(REPO) == old
    assert server.asked() == set(), "the blob was still there"
    assert (old.folder / "vocab.json").read_bytes() == model()["vocab.json"]


@pytest.mark.parametrize("revision", ["v1", "refs/pr/3"])
def test_a_branch_or_tag_can_be_named(server: HubServer, hub: Hub, revision: str) -> None:
    server.add(REPO, model(1))
    wanted = server.repos[REPO].commit(model(2), revision)
    assert hub.fetch(f"{REPO}@{revision}").commit == wanted
    assert hub.fetch(REPO).commit != wanted


def test_sentencepiece_is_fetched_where_there_is_no_other(server: HubServer, hub: Hub) -> None:
    files = {"config.json": b"{}", "spiece.model": b"\n", "model.safetensors": weights()}
    server.add(REPO, files)
    hub.fetch(REPO)
    assert server.asked() == set(files)


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"pytorch_model.bin": b"PK"}, "pytorch_model.bin"),
        ({"open_clip_pytorch_model.bin": b"PK"}, "open_clip_pytorch_model.bin"),
        (
            {"pytorch_model.bin": b"PK", "open_clip_model.safetensors": weights()},
            "open_clip_model.safetensors",
        ),
    ],
)
def test_the_first_weights_there_are_taken(
    server: HubServer, hub: Hub, there: Files, taken: str
) -> None:
    server.add(REPO, small_files() | there)
    hub.fetch(REPO)
    assert server.asked() - set(small_files()) == {taken}


def test_the_shards_of_the_index_are_fetched(server: HubServer, hub: Hub) -> None:
    shards = {f"model-0000{n}-of-00002.safetensors": weights(n) for n in (1, 2)}
    index = {"weight_map": dict(zip("ab", shards, strict=True))}
    files = {**shards, "model.safetensors.index.json": json.dumps(index).encode()}
    stray = {"model-00001-of-00009.safetensors": weights(9), **small_files()}
    server.add(REPO, files | stray)
    snapshot = hub.fetch(REPO)
    assert server.asked() == set(files) | set(small_files())
    (snapshot.folder / "model-00002-of-00002.safetensors").unlink()
    assert (hub.fetch(REPO).folder / "model-00002-of-00002.safetensors").is_file()


@pytest.mark.parametrize("shard", ["model-00001-of-00001.safetensors", "../../../../escaped"])
def test_an_index_of_weights_that_are_not_beside_it_is_an_error(
    server: HubServer, hub: Hub, cache: Path, shard: str
) -> None:
    index = json.dumps({"weight_map": {"a": shard}}).encode()
    files = small_files() | {"model.safetensors.index.json": index}
    server.add(REPO, files | ({shard: weights()} if "/" in shard else {}))
    with pytest.raises(WeightsError, match=shard):
        hub.fetch(REPO)
    assert not list(cache.parent.rglob("escaped*"))


def test_a_model_can_be_refused_before_its_weights_are_fetched(server: HubServer, hub: Hub) -> None:
    server.add(REPO, model())
    seen: list[set[str]] = []

    def refuse(folder: Path) -> None:
        seen.append({path.name for path in folder.iterdir()})
        raise UnsupportedModelError("not this one")

    for _ in range(2):
        with pytest.raises(UnsupportedModelError):
            hub.fetch(REPO, refuse)
    assert seen == [set(small_files())] * 2
    assert server.asked() == set(small_files())


def test_a_snapshot_of_another_program_is_used_without_a_request(
    server: HubServer, hub: Hub, cache: Path
) -> None:
    commit = server.add(REPO, model())
    by_another_program(server, cache, *model())
    assert hub.fetch(REPO).commit == commit
    assert not server.requests
    server.add(REPO, model(2))
    by_another_program(server, cache, *model())
    assert hub.fetch(REPO).commit == commit


def test_what_another_program_left_out_is_added(server: HubServer, hub: Hub, cache: Path) -> None:
    server.add(REPO, model())
    by_another_program(server, cache, "config.json", "tokenizer.json", "model.safetensors")
    folder = hub.fetch(REPO).folder
    assert {path.name for path in folder.iterdir()} == set(model())
    assert "model.safetensors" not in server.asked()


def test_what_another_program_left_damaged_is_fetched_again(
    server: HubServer, hub: Hub, cache: Path
) -> None:
    server.add(REPO, model())
    by_another_program(server, cache, *model())
    for blob in (cache / "models--laion--CLIP-ViT-B-32" / "blobs").iterdir():
        if blob.read_bytes() == model()["vocab.json"]:
            blob.write_bytes(b'{"b": 0}')
    assert (hub.fetch(REPO).folder / "vocab.json").read_bytes() == model()["vocab.json"]
    assert server.asked() == {"vocab.json"}


def test_other_programs_find_what_was_fetched(server: HubServer, hub: Hub, cache: Path) -> None:
    snapshot = hub.fetch(f"{REPO}@{server.add(REPO, model())}")
    hub.fetch(REPO)
    server.forget()
    for name in model():
        path = huggingface_hub.hf_hub_download(REPO, name, cache_dir=cache, local_files_only=True)
        assert Path(path) == snapshot.folder / name
    hub.fetch(f"{REPO}@{server.repos[REPO].commit(model(3), 'other')}")
    scanned = huggingface_hub.scan_cache_dir(cache)
    assert not scanned.warnings
    scanned.delete_revisions(snapshot.commit).execute()
    new = server.add(REPO, model(2))
    assert hub.fetch(REPO).commit == new, "who deletes a snapshot wants it asked for anew"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.safetensors", "truncated"),
        ("model.safetensors", "header"),
        ("model.safetensors", "gone"),
        ("vocab.json", "truncated"),
    ],
)
def test_damage_in_the_cache_is_noticed_and_mended(
    server: HubServer, hub: Hub, name: str, damage: str
) -> None:
    server.add(REPO, model())
    path = hub.fetch(REPO).folder / name
    blob, content = path.resolve(), path.read_bytes()
    if damage == "gone":
        blob.unlink()
    else:
        blob.write_bytes(content[:-2] if damage == "truncated" else b"\xff" * len(content))
    server.forget()
    assert hub.fetch(REPO).folder == path.parent
    assert path.read_bytes() == content
    assert server.asked() == {name}


def test_weights_that_are_broken_at_the_source_are_never_returned(
    server: HubServer, hub: Hub
) -> None:
    server.add(REPO, small_files() | {"model.safetensors": b"\xff" * 100})
    for _ in range(2):
        with pytest.raises(WeightsError, match=r"model\.safetensors"):
            hub.fetch(REPO)


@pytest.mark.parametrize(
    "name", ["clip", "a/b/c", "a/b@", "a/b@../c", "a b/c", "a--b/c", "", "a/b@c d"]
)
def test_what_is_no_name_is_said_to_be_none(server: HubServer, hub: Hub, name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="ORG/MODEL"):
        hub.fetch(name)
    assert not hub.answers(name, 1)
    assert not server.requests


def test_it_answers_for_what_the_hub_knows(server: HubServer, hub: Hub, cache: Path) -> None:
    server.add(REPO, model())
    assert hub.answers(REPO, 5)
    assert not hub.answers("laion/unknown", 5)
    assert not server.asked()
    shutil.rmtree(cache, ignore_errors=True)
    assert not cache.exists()
