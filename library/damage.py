"""What is wrong with a picture, in one sentence for the person whose picture it is."""

from __future__ import annotations

import re

from PIL import UnidentifiedImageError

_CUT_OFF = re.compile(r"truncated|end of file|outside of file|not enough|requires a buffer", re.I)
_LONGEST = 150


def sentence(error: Exception) -> str:
    """Why a picture cannot be decoded, from whatever its decoder raised."""
    if isinstance(error, UnidentifiedImageError):
        return "not a picture in a format that Kindred reads, or damaged"
    if isinstance(error, MemoryError):
        return "too large: there was not enough memory to decode it; close other programs"
    said = " ".join(str(error).split())
    if _CUT_OFF.search(said):
        return (
            "damaged: the file ends before its picture does; copy it again from where it came from"
        )
    return f"damaged: it cannot be decoded ({said[:_LONGEST] or type(error).__name__})"
