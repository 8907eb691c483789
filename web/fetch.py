"""Fetcher: a picture's bytes from an address on the internet, and from nowhere else.

Whoever names an address makes this machine ask it, so it must not reach what only this machine can:
its own services, the router, what else is in the house (server-side request forgery). What a name
resolves to is looked at, and that very address is connected to, so that no second answer of the
name server counts (DNS rebinding).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from werkzeug.exceptions import (
    BadGateway,
    BadRequest,
    Forbidden,
    GatewayTimeout,
    RequestEntityTooLarge,
)

from web.addresses import is_public
from web.language import gettext

_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16
# What may stand in a path or query as it is; the rest, such as spaces and letters, is quoted.
_SAFE = "/%:@!$&'()*+,;=~?[]"
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Kindred"}


@dataclass(frozen=True)
class Fetcher:
    """Fetches files of at most `most_bytes`, within `seconds` for everything.

    `allowed` says of an address in numbers whether it may be connected to.
    """

    most_bytes: int
    seconds: float = 10.0
    allowed: Callable[[str], bool] = is_public

    def fetch(self, url: str) -> bytes:
        """What lies at an address of http or https.

        Raises BadRequest, Forbidden, BadGateway, GatewayTimeout or RequestEntityTooLarge, each
        with a sentence for whoever named the address.
        """
        end = time.monotonic() + self.seconds
        for _ in range(_REDIRECTS + 1):
            content = self._ask(_checked(url), end)
            if isinstance(content, bytes):
                return content
            url = urljoin(url, content)
        raise BadGateway(
            gettext(
                "That address leads on to others more than %(number)s times.", number=_REDIRECTS
            )
        )

    def _ask(self, url: SplitResult, end: float) -> bytes | str:
        """The bytes at an address, or the address that it leads on to."""
        try:
            addresses = self._addresses(url, end)
            with _connected(url, addresses, end) as connection:
                connection.request("GET", _target(url), headers=_HEADERS)
                with closing(connection.getresponse()) as response:
                    moved = response.getheader("Location")
                    if response.status in _MOVED and moved:
                        return moved
                    return self._read(response, url, end)
        except (OSError, http.client.HTTPException) as error:
            _left(end)  # whatever broke when the time was up broke because of that
            text = gettext("%(host)s could not be asked: %(reason)s.")
            raise BadGateway(text % {"host": url.hostname, "reason": _why(error)}) from error

    def _addresses(self, url: SplitResult, end: float) -> list[str]:
        """Every address of a host, in numbers. Raises Forbidden when one is not allowed."""
        addresses = _resolved(url, end)
        if not all(map(self.allowed, addresses)):
            raise Forbidden(
                gettext(
                    "%(host)s is not on the public internet, and Kindred fetches pictures from "
                    "there alone. Save the picture, and drop it on the page.",
                    host=url.hostname,
                )
            )
        return addresses

    def _read(self, response: http.client.HTTPResponse, url: SplitResult, end: float) -> bytes:
        if response.status != http.client.OK:
            text = gettext("%(host)s has no file there: it answered %(status)s.")
            raise BadGateway(text % {"host": url.hostname, "status": response.status})
        content = bytearray()
        announced = response.length or 0
        while announced <= self.most_bytes and (chunk := response.read1(_CHUNK)):
            content += chunk
            announced = len(content)
        if announced > self.most_bytes:
            text = gettext("The file at that address is too large: %(limit)s MB is the limit.")
            raise RequestEntityTooLarge(text % {"limit": self.most_bytes // 1_000_000})
        _left(end)  # a connection that was cut looks like an end
        return bytes(content)


def _checked(url: str) -> SplitResult:
    """An address that may be asked. Raises BadRequest."""
    try:
        parts = urlsplit(url.strip())
        complete = parts.scheme in ("http", "https") and _host(parts) and parts.port != 0
    except ValueError as error:  # UnicodeError, of hosts that cannot be, is one
        raise BadRequest(gettext("That is no address of a picture on the web.")) from error
    if not complete:
        raise BadRequest(
            gettext("Give a picture's address on the web: it begins with https:// or http://.")
        )
    if parts.username is not None or parts.password is not None:
        raise BadRequest(gettext("An address with a name or password in it is not asked."))
    return parts


def _target(url: SplitResult) -> str:
    query = f"?{url.query}" if url.query else ""
    return quote((url.path or "/") + query, safe=_SAFE)


def _host(url: SplitResult) -> str:
    """The host as name servers and certificates know it."""
    return (url.hostname or "").encode("idna").decode("ascii")


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _resolved(url: SplitResult, end: float) -> list[str]:
    """As _addresses, unchecked. On a thread of its own, since nothing else bounds its time."""
    resolver = ThreadPoolExecutor(1, "resolver")
    found = resolver.submit(socket.getaddrinfo, _host(url), _port(url), type=socket.SOCK_STREAM)
    resolver.shutdown(wait=False)
    try:
        return list(dict.fromkeys(str(info[4][0]) for info in found.result(_left(end))))
    except FutureTimeoutError as error:
        raise _too_late() from error


@contextmanager
def _connected(
    url: SplitResult, addresses: list[str], end: float
) -> Iterator[http.client.HTTPConnection]:
    """A connection to one of the addresses, which is cut when the time is up."""
    tls = url.scheme == "https"
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    with ExitStack() as opened:
        stream = opened.enter_context(_open(addresses, _port(url), end))
        if tls:
            stream = opened.enter_context(
                ssl.create_default_context().wrap_socket(
                    stream, server_hostname=_host(url), do_handshake_on_connect=False
                )
            )
        # A read has a limit for each byte only: a server that trickles could go on for ever.
        timer = threading.Timer(_left(end), _cut, [stream])
        opened.callback(timer.cancel)
        timer.start()
        if isinstance(stream, ssl.SSLSocket):
            stream.do_handshake()
        connection = opened.enter_context(closing(kind(_host(url), _port(url))))
        connection.sock = stream
        yield connection


def _open(addresses: list[str], port: int, end: float) -> socket.socket:
    """Connect to the first address that answers. Raises OSError when none does."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), _left(end) / len(addresses))
    return socket.create_connection((addresses[-1], port), _left(end))


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        # Not SSLSocket's own, which pulls the session from under whoever reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _left(end: float) -> float:
    """The seconds that are left. Raises GatewayTimeout when there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise _too_late()
    return seconds


def _why(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, http.client.HTTPException):
        return gettext("what it answers is not understood")
    return error.strerror or str(error)


def _too_late() -> GatewayTimeout:
    return GatewayTimeout(gettext("The picture at that address took too long to come."))
