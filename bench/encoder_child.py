"""`python -m bench.encoder_child KIND CHECKPOINT`: one runtime's figures, as a JSON list.

Pictures a second at each of BATCHES, texts a second at each, and the peak memory in bytes.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.encoder import BATCHES

_SECONDS = 2.0
_TOKENS = 12
_START, _END = 49406, 49407

Call = Callable[[Any], object]


def main(kind: str, checkpoint: Path) -> None:
    """Measure, or write the checkpoint."""
    if kind == "write":
        _write(checkpoint)
        return
    rng = np.random.default_rng(0)
    most = max(BATCHES)
    pictures = rng.normal(size=(most, 3, 224, 224)).astype(np.float32)
    texts = rng.integers(1, _START, (most, _TOKENS))
    texts[:, 0], texts[:, -1] = _START, _END
    image, text = {"torch": _torch, "mlx": _mlx}.get(kind, _onnx)(kind, checkpoint)
    figures = [_rate(image, pictures[:n]) for n in BATCHES]
    figures += [_rate(text, texts[:n]) for n in BATCHES]
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps([*figures, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit]))


def _rate(call: Call, batch: Any) -> float:
    """Items a second, the first call left out."""
    call(batch)
    calls, started = 0, time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        call(batch)
        calls += 1
    return calls * len(batch) / (time.perf_counter() - started)


def _write(checkpoint: Path) -> None:
    import torch
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    CLIPModel(CLIPConfig()).save_pretrained(checkpoint)


def _torch(kind: str, checkpoint: Path) -> tuple[Call, Call]:
    import torch
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(checkpoint).eval()

    def image(pictures: Any) -> None:
        with torch.inference_mode():
            model.get_image_features(pixel_values=torch.from_numpy(pictures))

    def text(ids: Any) -> None:
        with torch.inference_mode():
            model.get_text_features(input_ids=torch.from_numpy(ids))

    return image, text


def _onnx(kind: str, checkpoint: Path) -> tuple[Call, Call]:
    from mlx_clip.checkpoint import open_checkpoint
    from mlx_clip.onnx_encoder import open_session
    from mlx_clip.onnx_graph import write_image_graph, write_text_graph

    found = open_checkpoint(checkpoint, checkpoint.name)
    folder = checkpoint / kind
    if not folder.is_dir():
        folder.mkdir()
        int8 = kind == "onnx-int8"
        write_image_graph(folder / "image.onnx", found.config, found.tensors, int8)
        write_text_graph(folder / "text.onnx", found.config, found.tensors, int8)
    image, text = (open_session(folder / f"{name}.onnx") for name in ("image", "text"))
    return (
        lambda pictures: image.run(None, {"pixel_values": pictures}),
        lambda ids: text.run(None, {"input_ids": ids}),
    )


def _mlx(kind: str, checkpoint: Path) -> tuple[Call, Call]:
    import mlx.core as mx

    from mlx_clip.checkpoint import open_checkpoint
    from mlx_clip.mlx_encoder import image_function, text_function

    found = open_checkpoint(checkpoint, checkpoint.name)
    image, text = image_function(found, mx.float16), text_function(found, mx.float16)

    def pixels(pictures: Any) -> None:
        values = ((pictures.transpose(0, 2, 3, 1) + 2) * 60).clip(0, 255).astype(np.uint8)
        mx.eval(image(mx.array(values)))

    return pixels, lambda ids: mx.eval(text(mx.array(ids)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
