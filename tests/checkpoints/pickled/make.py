"""What wrote the checkpoints here (torch 2.13.0): python -m tests.checkpoints.pickled.make."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).parent


def state_dict() -> dict[str, Any]:
    """Every kind of tensor that a state dict may hold."""
    base = torch.arange(24, dtype=torch.float32) / 8
    return OrderedDict(
        weight=torch.nn.Parameter(base),
        tied=base,
        window=base[5:17].view(3, 4),
        transposed=base[:6].view(2, 3).T,
        strided=base[1::3],
        half=torch.tensor([[1.5, -2.25], [65504, 6e-8]], dtype=torch.float16),
        brain=torch.tensor([[1.5, -3e38, 1e-40], [0, 7, float("inf")]], dtype=torch.bfloat16).T,
        brain_scalar=torch.tensor(-2.5, dtype=torch.bfloat16),
        double=torch.tensor([1 / 3, -1e300], dtype=torch.float64),
        scalar=torch.tensor(2.6592),
        empty=torch.zeros(0, 3),
        position_ids=torch.arange(7).expand((1, -1)),
        int32=torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        int16=torch.tensor([-(2**15), 7], dtype=torch.int16),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        uint16=torch.tensor([0, 1, 65535]).to(torch.uint16)[1:],
        flags=torch.tensor([True, False, True]),
    )


def as_numpy(tensor: Any) -> Any:
    """What is expected of it: its own type, but float32 for bfloat16."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def main() -> None:
    """Write the two formats, a training checkpoint, and what is expected of the former."""
    tensors = state_dict()
    torch.save(tensors, HERE / "zip.bin")
    torch.save(tensors, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
    np.savez_compressed(
        HERE / "expected.npz", **{name: as_numpy(tensor) for name, tensor in tensors.items()}
    )
    torch.save(training(), HERE / "training.bin")


def training() -> dict[str, Any]:
    """What open_clip keeps while it trains on several processors, after a first step."""
    model = torch.nn.Linear(2, 1)
    model.load_state_dict({"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([3.0])})
    optimizer = torch.optim.AdamW(model.parameters(), lr=0)
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    parallel = OrderedDict(("module." + name, part) for name, part in model.state_dict().items())
    return {
        "epoch": 32,
        "name": "ViT-B-32",
        "state_dict": parallel,
        "optimizer": optimizer.state_dict(),
    }


if __name__ == "__main__":
    main()
