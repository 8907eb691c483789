"""PoliteClient: HTTP that asks one thing at a time, not too often, and again where that helps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

_TRIES = 6
_LONGEST_WAIT = 600.0
_BACK_OFF, _MOST_BACK_OFF = 1.0, 60.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 1 << 16

Wait = Callable[[float], bool]
"""Waits so many seconds; True when it was cut short, as nobody wants the answer any more."""


class UnreachableError(Exception):
    """A server gave no answer, however often it was asked; it may later."""


class RefusedError(Exception):
    """A server's answer is that there is nothing, and will be so next time."""


class StoppedError(Exception):
    """Somebody wants it to end."""


@dataclass
class PoliteClient:
    """Asks at most every `interval` seconds, and waits as long as a server says.

    429 and errors of the server are asked again, after Retry-After or longer and longer with some
    chance in it. `key` goes to `site` alone, never to where that redirects.
    """

    site: str
    wait: Wait
    key: str | None = None
    interval: float = 0.5
    most_bytes: int = 64_000_000
    back_off: float = _BACK_OFF
    _client: httpx.Client = field(init=False, repr=False)
    _next: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._client = httpx.Client(
            follow_redirects=True, timeout=30.0, headers={"User-Agent": "Kindred"}
        )

    def __enter__(self) -> PoliteClient:
        return self

    def __exit__(self, *of: object) -> None:
        self._client.close()

    def get(self, url: str, parameters: Mapping[str, str | int] | None = None) -> bytes:
        """What lies at an address. Raises UnreachableError, RefusedError or StoppedError."""
        why = ""
        for tries in range(_TRIES):
            self._pause(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self.interval
            try:
                answer = self._ask(url, parameters)
            except (httpx.TransportError, httpx.DecodingError) as error:
                why, asked = str(error) or type(error).__name__, None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RefusedError(str(error)) from error
            else:
                if isinstance(answer, bytes):
                    return answer
                why, asked = f"it answers {answer.status_code}", retry_after(answer.headers)
            if tries + 1 < _TRIES:
                longer = min(_MOST_BACK_OFF, self.back_off * 2**tries)
                self._pause(asked if asked is not None else longer * random.uniform(0.5, 1.0))
        raise UnreachableError(f"{httpx.URL(url).host} gives no answer ({why})")

    def _ask(self, url: str, parameters: Mapping[str, str | int] | None) -> bytes | httpx.Response:
        """The content, or an answer that says to ask again.

        Raises RefusedError and httpx's errors.
        """
        own = url.startswith(self.site + "/")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key and own else {}
        with self._client.stream("GET", url, params=parameters, headers=headers) as answer:
            if answer.status_code in _AGAIN:
                return answer
            if answer.is_error:
                raise RefusedError(f"{answer.url.host} answers {answer.status_code}")
            content = bytearray()
            for chunk in answer.iter_bytes(_CHUNK):
                content += chunk
                if len(content) > self.most_bytes:
                    raise RefusedError(f"more than {self.most_bytes // 1_000_000} MB")
            return bytes(content)

    def _pause(self, seconds: float) -> None:
        if self.wait(seconds):
            raise StoppedError


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks for (RFC 9110, 10.2.3), at most ten minutes; or None."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(_LONGEST_WAIT, float(text[:9]))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    seconds = (until - datetime.now(timezone.utc)).total_seconds()
    return min(_LONGEST_WAIT, max(0.0, seconds))
