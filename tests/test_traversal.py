"""Addresses that try to lead out of what is served: each ends in nothing."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from itertools import product
from urllib.parse import urlsplit

import pytest

from tests.web_fixtures import Library, opened, served

CANARY = b"the canary sings"
_PREFIXES = (
    "/",
    "/static/",
    "/pictures/",
    "/pictures/1/file/",
    "/api/v1/pictures/",
)
# Up from the program's own folder, from the library's, and from any other.
_UP = ("..", "../..", "../../..", "../../../../../../../..")
_TARGETS = ("app.py", ".env", "data/library.sqlite", "canary.txt", "etc/passwd")
# How a dot, a slash or a backslash can be written so that a check and a file system disagree.
_SPELLINGS = {
    "plain": lambda path: path,
    "encoded": lambda path: path.replace(".", "%2e").replace("/", "%2f"),
    "slashes encoded": lambda path: path.replace("/", "%2F"),
    "encoded twice": lambda path: path.replace(".", "%252e").replace("/", "%252f"),
    "backslashes": lambda path: path.replace("/", "\\"),
    "encoded backslashes": lambda path: path.replace("/", "%5c"),
    "overlong": lambda path: path.replace("/", "%c0%af").replace(".", "%c0%ae"),
    "dots and slashes doubled": lambda path: path.replace("..", "....").replace("/", "//"),
    "NUL behind": lambda path: f"{path}%00.jpg",
    "fullwidth": lambda path: path.replace(".", "%ef%bc%8e"),
}
_OTHERS = (
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/pictures/1%00/file",
    "/pictures/1%2f..%2f2/file",
    "/pictures/-1/file",
    "/pictures/0x1/file",
    "/pictures/1e0/file",
    "/pictures/%31%32%33%34%35%36/file",
    "/pictures/9223372036854775808/file",
    "/pictures/" + "9" * 5_000 + "/file",
    "/pictures/١/file",
    "/folders/../../etc",
    "/static/" + "a/" * 2_000 + "app.css",
    "/static/" + "%2e%2e/" * 500 + "etc/passwd",
    "/static/app.css%00",
    "/static/.",
    "/static/",
    "/static",
    "/file:///etc/passwd",
    "/pictures/file:%2f%2f%2fetc%2fpasswd/file",
)
ATTEMPTS = [
    f"{prefix}{spelling(f'{up}/{target}')}"
    for prefix, (up, target), spelling in product(
        _PREFIXES,
        [(_UP[number % len(_UP)], target) for number, target in enumerate(_TARGETS)],
        _SPELLINGS.values(),
    )
] + list(_OTHERS)


@pytest.fixture(scope="module")
def address(shared_library: Library) -> Iterator[tuple[str, int]]:
    """A real server, which gets each address as it is written; a client would mend some."""
    for folder in (shared_library.settings.data_dir, shared_library.photos):
        (folder / "canary.txt").write_bytes(CANARY)
        (folder.parent / "canary.txt").write_bytes(CANARY)
    with opened(shared_library.settings) as app, served(app) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def test_there_are_enough() -> None:
    assert len(set(ATTEMPTS)) >= 200


@pytest.mark.parametrize("path", ATTEMPTS, ids=range(len(ATTEMPTS)))
def test_nothing_is_served(address: tuple[str, int], path: str) -> None:
    status, to, body = ask(address, os.fsencode(path))
    if to is not None:  # double slashes are made single ones
        assert to.startswith(f"http://{address[0]}")
        status, to, body = ask(address, os.fsencode(urlsplit(to).path))
    assert status in (400, 404, 405), path
    assert CANARY not in body
    assert b"root:" not in body
    assert b"SQLite format" not in body


def ask(address: tuple[str, int], path: bytes) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.connect()
        connection.sock.sendall(
            b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        return answer.status, answer.headers["Location"], answer.read()
    finally:
        connection.close()
