"""Clients that read slowly, say nothing, or hang up in the middle: others are served meanwhile."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlx_clip import Encoder
from tests.pictures import drawing
from tests.web_fixtures import crawl_folder, opened, settings_of
from web.server import Server

# More than the server takes from a page before it waits for the client, and than sockets hold.
_LARGE = (3000, 3500)
_READERS = 12  # more than the server has threads


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[str]:
    base: Path = tmp_path_factory.mktemp("slow")
    (base / "photos").mkdir()
    drawing(1, _LARGE).save(base / "photos" / "large.bmp")
    settings = settings_of(base / "data", "24")
    crawl_folder(settings, encoder, base / "photos")
    with opened(settings) as app:
        server = Server(app, "127.0.0.1", 0)
        with server.beside():
            yield server.address


def begun(address: str, request: str) -> socket.socket:
    """A connection on which a request was sent, and of whose answer nothing is read."""
    parts = urlsplit(address)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((parts.hostname, parts.port))
    connection.sendall(request.encode())
    return connection


def status_of(address: str) -> int:
    with urllib.request.urlopen(f"{address}/search?q=dog", timeout=30) as answer:
        return int(answer.status)


@pytest.mark.parametrize("header", ["", "Range: bytes=0-\r\n", "Range: bytes=5-\r\n"])
def test_slow_readers_of_a_large_file_hold_nobody_up(address: str, header: str) -> None:
    request = f"GET /pictures/1/file HTTP/1.1\r\nHost: localhost\r\n{header}\r\n"
    with ExitStack() as readers:
        for _ in range(_READERS):
            assert (
                readers.enter_context(begun(address, request)).recv(12).startswith(b"HTTP/1.1 20")
            )
        assert status_of(address) == 200


def test_hundreds_of_silent_connections_hold_nobody_up(address: str) -> None:
    with ExitStack() as silent:
        for _ in range(200):
            silent.enter_context(begun(address, "GET / HT"))
        assert status_of(address) == 200


def test_who_hangs_up_in_the_middle_is_forgotten(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in ("/", "/search?q=dog", "/pictures/1/file", "/pictures/1/thumb"):
        for _ in range(20):
            begun(address, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").close()
    assert status_of(address) == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("asked", "part"),
    [("5-14", slice(5, 15)), ("-10", slice(-10, None)), ("30000000-", slice(30_000_000, None))],
)
def test_a_part_of_a_file_is_that_part(address: str, asked: str, part: slice) -> None:
    with urllib.request.urlopen(f"{address}/pictures/1/file", timeout=30) as answer:
        whole = answer.read()
    request = urllib.request.Request(
        f"{address}/pictures/1/file", headers={"Range": f"bytes={asked}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 206
        assert answer.read() == whole[part]
