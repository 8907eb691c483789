"""CLIP's two towers in MLX (Radford et al., 2021; transformers' modeling_clip.py)."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn

from mlx_clip.config import HIGHEST_ID, ModelConfig, TextConfig, VisionConfig
from mlx_clip.transformer import PatchEmbedding, TextEmbedding, Transformer


class _VisionEmbeddings(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.class_embedding = mx.zeros((config.hidden_size,))
        self.patch_embedding = PatchEmbedding(config, bias=False)
        self.position_embedding = nn.Embedding(config.grid**2 + 1, config.hidden_size)

    def __call__(self, pixels: mx.array) -> mx.array:
        patches = self.patch_embedding(pixels)
        n, _, width = patches.shape
        token = mx.broadcast_to(self.class_embedding, (n, 1, width))
        return mx.concatenate([token, patches], axis=1) + self.position_embedding.weight


class _VisionModel(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width, eps = config.hidden_size, config.layer_norm_eps
        self.embeddings = _VisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(width, eps=eps)  # spelt as checkpoints spell it
        self.encoder = Transformer(config)
        self.post_layernorm = nn.LayerNorm(width, eps=eps)

    def __call__(self, pixels: mx.array) -> mx.array:
        x = self.encoder(self.pre_layrnorm(self.embeddings(pixels)))
        return self.post_layernorm(x[:, 0])


class ClipVision(nn.Module):
    """Normalised pixels (n, size, size, 3) -> vectors (n, dim), not normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.vision_model = _VisionModel(config.vision)
        self.visual_projection = nn.Linear(config.vision.hidden_size, config.dim, bias=False)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.visual_projection(self.vision_model(pixels))


class _TextModel(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.embeddings = TextEmbedding(config)
        self.encoder = Transformer(config, causal=True)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self._end = config.eos_token_id

    def __call__(self, ids: mx.array) -> mx.array:
        x = self.final_layer_norm(self.encoder(self.embeddings(ids)))
        ends = ids if self._end == HIGHEST_ID else ids == self._end
        place = mx.argmax(ends, axis=1).reshape(-1, 1, 1)
        return mx.take_along_axis(x, place, axis=1).squeeze(1)


class ClipText(nn.Module):
    """Token ids (n, length), each text with its end token -> vectors (n, dim), not normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.text_model = _TextModel(config.text)
        self.text_projection = nn.Linear(config.text.hidden_size, config.dim, bias=False)

    def __call__(self, ids: mx.array) -> mx.array:
        return self.text_projection(self.text_model(ids))
