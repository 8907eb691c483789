"""Bodies: what arrives with requests is limited before it is read, and before who sent it is known.

waitress keeps a request's body until it is whole, in a file when it is large, and only then asks
the app; so a page of somebody else, or whoever has no password, could fill the disk with it.
"""

from __future__ import annotations

import io
import json
from weakref import WeakSet

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import Error, RequestEntityTooLarge

LARGEST = 64_000_000
"""Bytes. Of what says that it is larger nothing is kept: the app refuses it by its length."""
SMALL = 1 << 16
"""Bytes of a body that are held in memory; larger ones go to a file, and are counted."""
_MOST = 8
_kept: WeakSet[HTTPRequestParser] = WeakSet()
"""Large bodies that are arriving or being looked at; who hangs up is forgotten."""


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request whose body is thrown away while it arrives, where it is not to be kept.

    It is not refused at once, because a client that is still sending would not see the answer.
    """

    completed: bool

    def __init__(self, adjustments: Adjustments) -> None:
        super().__init__(adjustments)
        self._too_many = False

    def parse_header(self, header_plus: bytes) -> None:
        """As waitress does, once the header is whole."""
        super().parse_header(header_plus)
        if self.body_rcv is None or not (self.chunked or self.content_length > SMALL):
            return
        self._too_many = len(_kept) >= _MOST
        if self._too_many or self.content_length > LARGEST:
            self.body_rcv.buf = _Nothing()
        else:
            _kept.add(self)

    def received(self, data: bytes) -> int:
        """As waitress does, with every part that arrives."""
        consumed: int = super().received(data)
        if self.completed and self._too_many:
            self.error = _BusyError(self.path)
        elif self.body_bytes_received > LARGEST and self.chunked:  # its length is told by nothing
            self.error = RequestEntityTooLarge(f"more than {LARGEST} bytes")
            self.completed = True
        return consumed

    def close(self) -> None:
        """As waitress does, once it was answered."""
        _kept.discard(self)
        super().close()


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose requests have a Parser."""

    parser_class = Parser
    request: Parser | None

    def handle_close(self) -> None:
        """As waitress does, when somebody hangs up."""
        super().handle_close()
        # It would leave half a body to the garbage collector.
        if self.request is not None:
            self.request.close()


class _Nothing:
    """A buffer that keeps nothing of what it is given."""

    def append(self, data: bytes) -> None:
        """Drop it."""

    def getfile(self) -> io.BytesIO:
        """What there is to be read."""
        return io.BytesIO()

    def close(self) -> None:
        """There is nothing to close."""

    def __len__(self) -> int:
        return 0


class _BusyError(Error):  # type: ignore[misc]  # waitress has no types
    """503, before any of our pages could say so."""

    code, reason = 503, "Service Unavailable"
    _SAYS = "Kindred is taking in other files. Try again in a moment."

    def __init__(self, path: str) -> None:
        super().__init__(self._SAYS)
        self._is_api = path.startswith("/api/")

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        kind, body = "text/plain", self._SAYS
        if self._is_api:
            error = {"code": "service_unavailable", "message": self._SAYS}
            kind, body = "application/json", json.dumps({"error": error})
        headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Retry-After", "5")]
        return f"{self.code} {self.reason}", headers, body.encode()
