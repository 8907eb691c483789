"""Foreground: while a request is answered, a crawl of the site's own waits."""

from __future__ import annotations

from flask import Flask, g

from web.site import the_site

_WAITS = "somebody_waits"


def install(app: Flask) -> None:
    """Tell the crawls of `app` of each request."""

    def begin() -> None:
        the_site().crawls.foreground.begin()
        setattr(g, _WAITS, True)

    def end(error: BaseException | None) -> None:
        if g.pop(_WAITS, False):  # else it was turned away before
            the_site().crawls.foreground.end()

    app.before_request(begin)
    app.teardown_request(end)
