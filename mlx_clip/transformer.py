"""The transformer that all towers share, in MLX.

Pre-norm blocks as in "Learning Transferable Visual Models From Natural Language Supervision"
(Radford et al., 2021). Attributes are named as transformers names its tensors, so that a checkpoint
loads by name.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import mlx.nn as nn

from mlx_clip.config import TextConfig, TowerConfig, VisionConfig


def quick_gelu(x: mx.array) -> mx.array:
    """The GELU of OpenAI's models: x * sigmoid(1.702 x)."""
    return x * mx.sigmoid(1.702 * x)


_ACTIVATIONS: dict[str, Callable[[mx.array], mx.array]] = {
    "quick_gelu": quick_gelu,
    "gelu": nn.gelu,
    "gelu_new": nn.gelu_approx,
    "gelu_pytorch_tanh": nn.gelu_approx,
}


def attend(q: mx.array, k: mx.array, v: mx.array, heads: int, *, causal: bool) -> mx.array:
    """Multi-head attention of (n, length, width) arrays; `k` and `v` may be longer than `q`."""

    def split(x: mx.array) -> mx.array:
        return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)

    scale = (q.shape[-1] // heads) ** -0.5
    x = mx.fast.scaled_dot_product_attention(
        split(q), split(k), split(v), scale=scale, mask="causal" if causal else None
    )
    return x.transpose(0, 2, 1, 3).reshape(q.shape)


class Attention(nn.Module):
    """Self-attention over (n, length, width)."""

    def __init__(self, config: TowerConfig, *, causal: bool) -> None:
        super().__init__()
        width = config.hidden_size
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self._heads, self._causal = config.num_attention_heads, causal

    def __call__(self, x: mx.array) -> mx.array:
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        return self.out_proj(attend(q, k, v, self._heads, causal=self._causal))


class MLP(nn.Module):
    """Two linear layers with an activation between."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self._activation = _ACTIVATIONS[config.hidden_act]

    def __call__(self, x: mx.array) -> mx.array:
        return self.fc2(self._activation(self.fc1(x)))


class Block(nn.Module):
    """Attention, then an MLP, each behind a layer norm and added to what came in."""

    def __init__(self, config: TowerConfig, *, causal: bool) -> None:
        super().__init__()
        self.self_attn = Attention(config, causal=causal)
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = MLP(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def __call__(self, x: mx.array) -> mx.array:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Transformer(nn.Module):
    """The blocks of a tower."""

    def __init__(self, config: TowerConfig, *, causal: bool = False) -> None:
        super().__init__()
        self.layers = [Block(config, causal=causal) for _ in range(config.num_hidden_layers)]

    def __call__(self, x: mx.array) -> mx.array:
        for layer in self.layers:
            x = layer(x)
        return x


class PatchEmbedding(nn.Module):
    """A convolution whose stride is its kernel, as a reshape and one matrix product.

    (n, size, size, 3) -> (n, grid * grid, width); pixels that do not fill a patch are left out.
    """

    def __init__(self, config: VisionConfig, *, bias: bool) -> None:
        super().__init__()
        self._grid, self._patch = config.grid, config.patch_size
        self.weight = mx.zeros((config.hidden_size, 3 * config.patch_size**2))
        if bias:
            self.bias = mx.zeros((config.hidden_size,))

    def __call__(self, pixels: mx.array) -> mx.array:
        grid, patch = self._grid, self._patch
        x = pixels[:, : grid * patch, : grid * patch]
        x = x.reshape(-1, grid, patch, grid, patch, 3).transpose(0, 1, 3, 2, 4, 5)
        x = x.reshape(-1, grid * grid, patch * patch * 3) @ self.weight.T
        return x + self.bias if "bias" in self else x


class TextEmbedding(nn.Module):
    """Token ids (n, length) -> (n, length, width): each by what it is and where it stands."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def __call__(self, ids: mx.array) -> mx.array:
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]
