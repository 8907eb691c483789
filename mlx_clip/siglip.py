"""SigLIP's and SigLIP 2's two towers in MLX.

"Sigmoid Loss for Language Image Pre-Training" (Zhai et al., 2023), "SigLIP 2" (Tschannen et al.,
2025), transformers' modeling_siglip.py. What sets them apart from CLIP: pictures are pooled by a
learned query (MAP head), and texts are read in both directions, always padded to the full length,
their vector taken at the last position.
"""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn

from mlx_clip.config import ModelConfig, VisionConfig
from mlx_clip.transformer import MLP, PatchEmbedding, TextEmbedding, Transformer, attend


class _VisionEmbeddings(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.patch_embedding = PatchEmbedding(config, bias=True)
        self.position_embedding = nn.Embedding(config.grid**2, config.hidden_size)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.patch_embedding(pixels) + self.position_embedding.weight


class _PoolAttention(nn.Module):
    """Attention as PyTorch's MultiheadAttention keeps it: three projections in one tensor."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.in_proj_weight = mx.zeros((3 * width, width))
        self.in_proj_bias = mx.zeros((3 * width,))
        self.out_proj = nn.Linear(width, width)
        self._heads = heads

    def __call__(self, query: mx.array, x: mx.array) -> mx.array:
        weights, biases = mx.split(self.in_proj_weight, 3), mx.split(self.in_proj_bias, 3)
        q, k, v = (
            y @ weight.T + bias
            for y, weight, bias in zip((query, x, x), weights, biases, strict=True)
        )
        return self.out_proj(attend(q, k, v, self._heads, causal=False))


class _PoolingHead(nn.Module):
    """One learned query looks at all patches; then a residual MLP."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.probe = mx.zeros((1, 1, width))
        self.attention = _PoolAttention(width, config.num_attention_heads)
        self.layernorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.mlp = MLP(config)

    def __call__(self, x: mx.array) -> mx.array:
        query = mx.broadcast_to(self.probe, (x.shape[0], *self.probe.shape[1:]))
        x = self.attention(query, x)
        return (x + self.mlp(self.layernorm(x)))[:, 0]


class _VisionModel(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.embeddings = _VisionEmbeddings(config)
        self.encoder = Transformer(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.head = _PoolingHead(config)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.head(self.post_layernorm(self.encoder(self.embeddings(pixels))))


class SiglipVision(nn.Module):
    """Normalised pixels (n, size, size, 3) -> vectors (n, dim), not normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.vision_model = _VisionModel(config.vision)

    def __call__(self, pixels: mx.array) -> mx.array:
        return self.vision_model(pixels)


class _TextModel(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        text = config.text
        self.embeddings = TextEmbedding(text)
        self.encoder = Transformer(text)
        self.final_layer_norm = nn.LayerNorm(text.hidden_size, eps=text.layer_norm_eps)
        self.head = nn.Linear(text.hidden_size, config.dim)

    def __call__(self, ids: mx.array) -> mx.array:
        return self.head(self.final_layer_norm(self.encoder(self.embeddings(ids)))[:, -1])


class SiglipText(nn.Module):
    """Token ids (n, 64), padded -> vectors (n, dim), not normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.text_model = _TextModel(config)

    def __call__(self, ids: mx.array) -> mx.array:
        return self.text_model(ids)
