"""Tiny checkpoints of every kind, in the layouts of the Hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from parity.open_clip_models import tiny_open_clip, tiny_open_clip_config
from parity.reference import tiny_clip, tiny_siglip
from parity.tiny_tokenizers import write_clip, write_siglip, write_siglip2


def clip(folder: Path) -> Any:
    """OpenAI's kind: quick GELU, vocab.json and merges.txt."""
    size = write_clip(folder)
    model = tiny_clip(size, size - 1)
    model.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    return model


def clip_gelu(folder: Path) -> Any:
    """LAION's kind: GELU, the end token misstated as 2, and only pytorch_model.bin."""
    size = write_clip(folder)
    model = tiny_clip(size, 2, hidden_act="gelu", layer_norm_eps=1e-4)
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    return model


def siglip(folder: Path) -> Any:
    """SigLIP, whose pictures are not a whole number of patches wide."""
    model = tiny_siglip(write_siglip(folder))
    model.save_pretrained(folder)
    _siglip_processor(3).save_pretrained(folder)
    return model


def siglip2(folder: Path) -> Any:
    """SigLIP 2, in shards."""
    model = tiny_siglip(write_siglip2(folder), image_size=48, patch_size=16)
    model.save_pretrained(folder, max_shard_size="60KB")
    _siglip_processor(2, side=48).save_pretrained(folder)
    return model


def open_clip(folder: Path) -> Any:
    """DataComp's kind: open_clip's own layout and nothing else."""
    size = write_clip(folder)
    model = tiny_open_clip(size)
    safetensors.torch.save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    config = json.dumps(tiny_open_clip_config(size), indent=1)
    (folder / "open_clip_config.json").write_text(config + "\n", encoding="utf-8")
    return model


KINDS: dict[str, Callable[[Path], Any]] = {
    write.__name__: write for write in (clip, clip_gelu, siglip, siglip2, open_clip)
}


def _siglip_processor(resample: int, side: int = 46) -> SiglipImageProcessorPil:
    half = [0.5] * 3
    size = {"height": side, "width": side}
    return SiglipImageProcessorPil(size=size, resample=resample, image_mean=half, image_std=half)
