"""A hub, a cache and models to put there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import save

from mlx_clip.hub import Hub
from tests.hub_server import Files, HubServer, hub_server

ROOT = Path(__file__).parent.parent
REPO = "laion/CLIP-ViT-B-32"
FETCH = """
import sys
import threading
from pathlib import Path
from mlx_clip import EncoderError
from mlx_clip.hub import Hub
try:
    print(Hub(Path(sys.argv[1])).fetch(sys.argv[2]).commit)
except EncoderError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_tests")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.close_session()
    with hub_server() as server:
        yield server
    # Those that were given up end now that the server hangs up, and close their sockets.
    for thread in threading.enumerate():
        if thread.name == "patiently":
            thread.join(5)
    huggingface_hub.close_session()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def hub(server: HubServer, cache: Path) -> Hub:
    return Hub(cache, server.endpoint)


def weights(seed: int = 0, count: int = 1000) -> bytes:
    """A safetensors file of `count` floats, and no two alike."""
    tensor = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    return save({"logit_scale": tensor})


def small_files() -> Files:
    return {
        "config.json": b'{"model_type": "clip"}',
        "preprocessor_config.json": b'{"size": 224}',
        "tokenizer.json": b'{"model": {}}',
        "tokenizer_config.json": b'{"pad_token": "!"}',
        "special_tokens_map.json": b'{"eos_token": "."}',
        "vocab.json": b'{"a": 0}',
        "merges.txt": b"#version: 0.2\na b\n",
    }


def model(seed: int = 0, count: int = 1000) -> Files:
    return small_files() | {"model.safetensors": weights(seed, count)}


def started(
    server: HubServer, cache: Path, name: str, stderr: int = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    """`Hub(cache).fetch(name)` in a process of its own; prints the commit."""
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(cache), name],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": server.endpoint, **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
