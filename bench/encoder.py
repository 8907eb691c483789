"""The encoder's throughput on ViT-B/32, beside transformers on PyTorch, from one checkpoint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.measure import ROOT
from bench.table import megabytes, table

BATCHES = (1, 8, 32)
_ROUNDS = 3
_PARITY = ROOT / ".venv-parity" / "bin" / "python"
_NAMES = {
    "torch": "transformers, PyTorch float32",
    "onnx-float32": "ONNX Runtime float32",
    "onnx-int8": "ONNX Runtime int8",
    "mlx": "MLX float16",
}


def encoder_section(work: Path) -> str:
    """Measure every runtime in processes of its own, in turns, so that all meet the same noise."""
    checkpoint = vit_b_32(work)
    kinds = ["torch", "onnx-float32", "onnx-int8", *(["mlx"] if has_gpu() else [])]
    rounds = [{kind: _child(kind, checkpoint) for kind in kinds} for _ in range(_ROUNDS)]
    head = ["", *(f"{n} picture{'s' * (n > 1)}" for n in BATCHES)]
    head += [*(f"{n} text{'s' * (n > 1)}" for n in BATCHES), "memory"]
    rows = []
    for kind in kinds:
        columns = zip(*(one[kind] for one in rounds), strict=True)
        *rates, memory = [median(column) for column in columns]
        rows.append([_NAMES[kind], *(f"{rate:.1f}" for rate in rates), megabytes(int(memory))])
    return (
        "## The encoder\n\n"
        "ViT-B/32 with random weights, the same checkpoint for all, in pictures and texts (of 12\n"
        "tokens) a second at batches of 1, 8 and 32; pixels and tokens are ready, so the model\n"
        f"alone is measured. Each row is the median of {_ROUNDS} processes, run in turns; memory\n"
        "is the peak of the whole process. MLX is measured where there is Metal or CUDA.\n\n"
        f"{table(head, rows)}\n"
    )


def vit_b_32(work: Path) -> Path:
    """A checkpoint of ViT-B/32 with random weights, made once.

    Its tokenizer is that of the tests' small model: pictures do not need it, a model folder does.
    """
    checkpoint = work / "ViT-B-32"
    if not (checkpoint / "model.safetensors").is_file():
        _child("write", checkpoint)
    for name in ("merges.txt", "tokenizer_config.json", "vocab.json"):
        if not (checkpoint / name).is_file():
            shutil.copy(ROOT / "tests" / "checkpoints" / "clip" / name, checkpoint)
    return checkpoint


def _child(kind: str, checkpoint: Path) -> list[float]:
    if not _PARITY.is_file():
        raise SystemExit("The checkpoint is made with PyTorch, in .venv-parity: run make bench.")
    done = subprocess.run(
        [_PARITY, "-m", "bench.encoder_child", kind, checkpoint],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: list[float] = json.loads(done.stdout or "[]")
    return figures


def has_gpu() -> bool:
    """Whether MLX has Metal or CUDA here."""
    probe = "from mlx_clip.mlx_device import gpu; raise SystemExit(gpu() is None)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True)
    return done.returncode == 0
