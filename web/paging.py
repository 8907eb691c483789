"""Which part of a list a request asks for."""

from __future__ import annotations

from flask import request

from web.site import the_site

_LAST_PAGE = 1_000_000
_MOST_SHOWN = 3_000


def page_number() -> int:
    """The page asked for, from 1; whatever is no number is the first."""
    return min(max(1, _number("page")), _LAST_PAGE)


def pictures_wanted() -> int:
    """How many pictures the page is to hold: one page's, or as many whole pages' as `show` asks.

    Where pages were put behind one another, the address says so by `show`, so that whoever comes
    back to it comes back to the same place.
    """
    size = the_site().settings.num_image_results
    wanted = min(max(size, _number("show")), _MOST_SHOWN)
    return -(-wanted // size) * size


def _number(name: str) -> int:
    """A parameter's number, 0 where there is none."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
