"""Random checkpoints as their libraries write them, and the vectors that those libraries give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

Array = NDArray[np.float32]

_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}


def tiny_clip(vocab_size: int, end: int, **tower: Any) -> CLIPModel:
    """A CLIP of two layers."""
    both = {**_TOWER, **tower}
    config = CLIPConfig(
        text_config={**both, "vocab_size": vocab_size, "eos_token_id": end},
        vision_config={**both, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    return randomised(CLIPModel(config))


def tiny_siglip(vocab_size: int, **vision: Any) -> SiglipModel:
    """A SigLIP or SigLIP 2 of two layers: they differ in tokenizer and preprocessing alone."""
    config = SiglipConfig(
        text_config={**_TOWER, "vocab_size": vocab_size},
        vision_config={**_TOWER, "image_size": 46, "patch_size": 14, **vision},
    )
    return randomised(SiglipModel(config))


def randomised(model: Any, seed: int = 0) -> Any:
    """Give every tensor values that matter: libraries begin with biases of nought."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if tensor.ndim < 2 or "position" in name or "probe" in name:
                noise = torch.randn(tensor.shape, generator=generator)
                tensor.add_(0.1 * noise)
            else:
                spread = tensor.shape[-1] ** -0.5
                tensor.copy_(spread * torch.randn(tensor.shape, generator=generator))
    return model.eval()


def picture_vectors(model: Any, folder: Path, pictures: Sequence[Image.Image]) -> Array:
    """The reference's L2-normalised vectors of upright RGB pictures, undrafted: (n, dim).

    `folder` has the preprocessing, where it is one of transformers'.
    """
    processor = _processor(model, folder)
    values = torch.from_numpy(np.stack(processor(list(pictures))["pixel_values"]))
    with torch.inference_mode():
        if hasattr(model, "encode_image"):
            return _normalised(model.encode_image(values))
        return _normalised(model.get_image_features(pixel_values=values))


def text_vectors(model: Any, ids: NDArray[np.int64]) -> Array:
    """The reference's L2-normalised vectors of token ids: (n, dim)."""
    with torch.inference_mode():
        if hasattr(model, "encode_text"):  # open_clip reads texts of the full length alone
            ids = np.pad(ids, ((0, 0), (0, model.context_length - ids.shape[1])))
            return _normalised(model.encode_text(torch.from_numpy(ids)))
        return _normalised(model.get_text_features(input_ids=torch.from_numpy(ids)))


def _processor(model: Any, folder: Path) -> Any:
    if hasattr(model, "encode_image"):
        # Only the rounding of a crop's odd margin is another in torchvision's transforms.
        side = model.visual.image_size[0]
        return CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=side)
    kinds = {"clip": CLIPImageProcessorPil, "siglip": SiglipImageProcessorPil}
    return kinds[model.config.model_type].from_pretrained(folder)


def _normalised(output: Any) -> Array:
    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    vectors: Array = torch.nn.functional.normalize(features.float(), dim=-1).numpy()
    return vectors
