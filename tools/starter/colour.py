"""Which of eleven colours a picture has: the one thing that ImageNet's classes never say.

"Red car" finds cars through the classes, but the network was trained to see a car whatever its
colour. So the colours' names, weighted by how much of each a picture has, are added to what it
shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.starter.graph import Array

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (200, 30, 30),
    "orange": (240, 140, 30),
    "yellow": (245, 220, 40),
    "green": (50, 150, 50),
    "blue": (40, 80, 200),
    "purple": (120, 50, 160),
    "pink": (245, 150, 190),
    "brown": (120, 75, 40),
    "black": (15, 15, 15),
    "gray": (128, 128, 128),
    "white": (250, 250, 250),
}
"""Berlin and Kay's eleven basic colour terms, each with a typical RGB value."""

PALETTE = np.array(list(COLOURS.values()), np.float32)

SALIENCE = np.array([1] * 9 + [0.6, 0.3], np.float32)
"""White and gray are mostly backgrounds and shadows, which nobody means."""

SPREAD = 30.0
"""How far from a typical value a colour still bears its name (a Gaussian's sigma, in RGB steps)."""

FIRST, STEP = 2, 5
"""Every fifth pixel of every fifth row is enough."""


def colour_amounts(pixels: NDArray[np.uint8]) -> Array:
    """uint8 (n, h, w, 3) -> (n, 11): the root of each colour's share, times its salience.

    A pixel is shared among the colours by a softmax over its distances to them. The root keeps a
    small red thing on a large green meadow red.
    """
    seen = pixels[:, FIRST::STEP, FIRST::STEP].reshape(len(pixels), -1, 3).astype(np.float32)
    nearness = (2 * seen @ PALETTE.T - (PALETTE**2).sum(1)) / (2 * SPREAD**2)
    shares = np.exp(nearness - nearness.max(2, keepdims=True))
    shares /= shares.sum(2, keepdims=True)
    amounts: Array = np.sqrt(shares.mean(1)) * SALIENCE
    return amounts
