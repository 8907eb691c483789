"""Whether the library's model is there and still speaks of vectors as long as the library's.

The library knows no encoder. It asks the project's own command, in a process of its own.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

from library import meta
from library.checks.finding import Finding, Patient, crawl_command, ok
from library.settings import ROOT, Settings

_STARTER = "starter"
_OFFLINE = "HF_HUB_OFFLINE"
_LONGEST = 1_800  # seconds: a model may have to be made ready for ONNX Runtime


def loads(patient: Patient) -> Finding:
    """Whether it loads, without the network, and encodes a text."""
    name = patient.settings.clip_model
    if name == meta.AUTO:
        name = meta.model(patient.connection) or ""
    if not name:
        return ok("none was chosen yet")
    pinned = meta.pinned(patient.connection, name)
    get = _command(pinned)
    try:
        done = _embed(pinned, patient.settings)
    except subprocess.TimeoutExpired:
        return Finding("wrong", f"{name} does not answer", get)
    if done.returncode:
        return Finding("wrong", f"{name} does not load: {_reason(done.stderr)}", get)
    return _compare(patient, name, len(json.loads(done.stdout)["vector"]))


def _compare(patient: Patient, name: str, dim: int) -> Finding:
    space = meta.space(patient.connection)
    if space and meta.model(patient.connection) == name and space.dim != dim:
        what = f"{name} gives vectors of {dim} numbers, those of the library have {space.dim}"
        return Finding("wrong", what, crawl_command(patient.settings))
    return ok(f"{name} loads, and gives vectors of {dim} numbers")


def _reason(said: str) -> str:
    if _OFFLINE in said:
        return "it is not complete on this machine"
    return (said.strip().splitlines() or ["it says nothing"])[-1].removeprefix("mlx_clip: ")


def _command(model: str) -> str | None:
    """What puts a model back: it came with the project, or from the Hub; a folder is the user's."""
    if model == _STARTER:
        return "git checkout -- models"
    if os.path.isdir(model):
        return None
    return f"python -m mlx_clip info --model {shlex.quote(model)}"


def _embed(model: str, settings: Settings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlx_clip", "embed", "--model", model, "--text", "a picture"]
    command += ["--runtime", settings.clip_runtime, "--precision", settings.clip_precision]
    if settings.model_cache:
        command += ["--cache", str(settings.model_cache)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, _OFFLINE: "1"},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
    )
