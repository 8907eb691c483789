"""open_clip's own CLIP, without torchvision, which its package asks for and its ViT never uses."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import transformers  # noqa: F401, it looks for torchvision, and must not find what stands in for it

from parity.reference import randomised

_STANDS_IN = ("torchvision", "torchvision.ops", "torchvision.ops.misc")


def tiny_open_clip(vocab_size: int, *, quick_gelu: bool = False) -> Any:
    """A CLIP of two layers."""
    return randomised(_models().CLIP(**_config(vocab_size, quick_gelu)))


def tiny_open_clip_config(vocab_size: int, *, quick_gelu: bool = False) -> dict[str, Any]:
    """The open_clip_config.json of the same."""
    return {"model_cfg": _config(vocab_size, quick_gelu)}


def _config(vocab_size: int, quick_gelu: bool) -> dict[str, Any]:
    tower = {"width": 32, "layers": 2}
    return {
        "embed_dim": 24,
        # The width of a head is not the 64 that it is by default.
        "vision_cfg": {**tower, "image_size": 32, "patch_size": 8, "head_width": 8},
        "text_cfg": {**tower, "context_length": 77, "vocab_size": vocab_size, "heads": 4},
        "quick_gelu": quick_gelu,
    }


def _models() -> ModuleType:
    """The module open_clip.model, without what open_clip/__init__.py brings along."""
    if "open_clip" not in sys.modules:
        spec = importlib.util.find_spec("open_clip")
        assert spec is not None
        package = ModuleType("open_clip")
        package.__spec__ = spec
        package.__path__ = list(spec.submodule_search_locations or [])
        sys.modules["open_clip"] = package
        for name in _STANDS_IN:
            sys.modules[name] = ModuleType(name)
        sys.modules[_STANDS_IN[-1]].FrozenBatchNorm2d = object  # type: ignore[attr-defined]
        try:
            importlib.import_module("open_clip.model")
        finally:
            for name in _STANDS_IN:
                del sys.modules[name]
    return sys.modules["open_clip.model"]
