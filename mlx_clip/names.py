"""What a model may be called, and what is known of one without loading anything."""

from __future__ import annotations

import re
from pathlib import Path

STARTER = "starter"
"""The name of the small model that comes with the project."""

DEFAULT = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
"""The model to use when nobody says which, and the Hub can be reached."""

PREPROCESSING = 1
"""The version of preprocess.py, which is part of every space."""

_STARTER_FOLDER = Path(__file__).parent.parent / "models" / "starter"
_COMMIT = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


def onnx_model_folder(name: str) -> Path | None:
    """The folder of a model that is an ONNX model already; None for a checkpoint's name."""
    if name == STARTER:
        return _STARTER_FOLDER
    folder = Path(name).expanduser()
    return folder if (folder / "image.onnx").is_file() else None


def fingerprint(name: str) -> str | None:
    """A text that changes when a model of this name would give other vectors.

    None for a name on the Hub without its commit: only the Hub knows what it means today.
    """
    folder = onnx_model_folder(name) or Path(name).expanduser()
    if folder.is_dir():
        stats = sorted((path.name, path.stat()) for path in folder.iterdir())
        files = [f"{name} {info.st_size} {info.st_mtime_ns}" for name, info in stats]
        return "\n".join([f"p{PREPROCESSING}", str(folder.resolve()), *files])
    return f"p{PREPROCESSING} {name}" if _COMMIT.fullmatch(name) else None
