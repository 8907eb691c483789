"""Which page of a list a request asks for."""

from __future__ import annotations

from flask import request

_LAST_PAGE = 1_000_000


def page_number() -> int:
    """The page asked for, from 1; whatever is no number is the first."""
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
    return min(max(1, number), _LAST_PAGE)
