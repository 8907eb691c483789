"""Guard: which requests are answered at all, and what browsers may do with the answers.

The site is for one person's own machine, so the dangers are other web pages in the same browser:
a page that gets its own host name resolved to this machine (DNS rebinding, stopped by the list of
hosts) and one that posts a form to it (stopped by the origin of every POST).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from web.language import gettext

_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "img-src 'self'",
            "media-src 'self'",
            "style-src 'self'",
            "script-src 'self'",
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "manifest-src 'self'",
            "worker-src 'self'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it, browsers send "Origin: null" with the site's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def install(app: Flask, configured_host: str) -> None:
    """Put the guard before and behind every request of `app`."""

    def check() -> None:
        if not is_allowed_host(request.host, configured_host):
            abort(
                400,
                gettext("This address is not one that Kindred answers to. Use http://localhost."),
            )
        if request.method not in _READING and not _is_own_page():
            abort(403, gettext("This request came from another site, so it was not carried out."))

    def protect(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.before_request(check)
    app.after_request(protect)


def is_allowed_host(host: str, configured_host: str) -> bool:
    """Whether a Host header names this machine.

    With a site that listens on every address, each address is allowed too, as numbers only: no
    foreign page can have a number for its host name.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in _HOSTS or name == configured_host.strip("[]").lower():
        return name not in _ANY_ADDRESS
    return configured_host in _ANY_ADDRESS and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        return not ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False


def _is_own_page() -> bool:
    """Whether a request was made by one of our pages, or by a program that is no browser.

    Every browser names the origin of a POST; a script that names none cannot be led astray.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"


def is_from_this_machine() -> bool:
    """Whether a request comes from the machine itself, not from another that the site listens to.

    Others may look at the library; what is read into it, who sits at the machine decides.
    """
    address = request.remote_addr or ""
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def only_from_this_machine() -> None:
    """End a request from elsewhere with 403."""
    if not is_from_this_machine():
        abort(
            403, gettext("This is done on the machine that Kindred runs on, at http://localhost.")
        )
