"""Shown: names and texts of files as pages show them, so that each reads as what it is."""

from __future__ import annotations

import re

# Unicode's bidirectional controls (UAX 9). With one of them `holiday\u202egpj.exe` reads as
# `holidayexe.jpg`, and what follows a name turns around with it.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNKNOWN = "\ufffd"


def shown(text: str) -> str:
    """A text without what would have it read in another order than it is written in."""
    return _TURNING.sub(_UNKNOWN, text)
