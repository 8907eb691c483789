"""The steps that a map is made in, told while they are at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Step = Literal["vectors", "pca", "neighbours", "umap", "plane", "clusters", "names", "placing"]

STEPS: tuple[Step, ...] = (
    "vectors",
    "pca",
    "neighbours",
    "umap",
    "plane",
    "clusters",
    "names",
)
"""Of a new map, in their order."""


@dataclass(frozen=True, slots=True)
class At:
    """A step, and where it can be told how much of it is done, from 0 to 1."""

    step: Step
    done: float | None = None


Report = Callable[[At], None]


def quietly(at: At) -> None:
    """Tells nobody."""
