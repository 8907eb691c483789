"""Writes static/src/ratios.css: a class for every shape that web/grid.py puts pictures into."""

from __future__ import annotations

from pathlib import Path

from web.grid import BUCKETS, ratio

TARGET = Path(__file__).parent.parent / "static" / "src" / "ratios.css"


def ratios_css() -> str:
    """The style sheet's text."""
    rules = [f".r-{number} {{ --r: {ratio(number):.4g}; }}" for number in range(BUCKETS)]
    return "\n".join(["/* Written by `python -m tools.ratios` from web/grid.py. */", *rules, ""])


if __name__ == "__main__":
    TARGET.write_text(ratios_css(), encoding="utf-8")
