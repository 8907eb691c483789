"""More uploads than there is room for, at a real server: answers, and nothing kept of the rest."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.corpus import saved
from tests.pictures import drawing
from tests.web_fixtures import Library, opened, wait_until
from web import bodies, pictures
from web.server import Server

_PLACES = 8
_BOUNDARY = b"--cut-here\r\n"
_END = b"\r\n--cut-here--\r\n"
_PART = b'Content-Disposition: form-data; name="image"; filename="a.bmp"\r\n\r\n'


@pytest.fixture(scope="module")
def address(shared_library: Library) -> Iterator[tuple[str, int]]:
    with opened(shared_library.settings) as app:
        server = Server(app, "127.0.0.1", 0)
        with server.beside():
            parts = urlsplit(server.address)
            assert parts.hostname and parts.port
            yield parts.hostname, parts.port


def body_of(picture: bytes) -> bytes:
    return _BOUNDARY + _PART + picture + _END


def head_of(length: int, path: str = "/api/v1/search") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=cut-here\r\n\r\n"
    ).encode()


def half_sent(address: tuple[str, int], body: bytes) -> socket.socket:
    connection = socket.create_connection(address, 60)
    connection.sendall(head_of(len(body)) + body[: len(body) // 2])
    return connection


def answer_to(connection: socket.socket, rest: bytes = b"") -> http.client.HTTPResponse:
    connection.sendall(rest)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer


def kept_files() -> list[int]:
    """The sizes of the files without a name that this process has open."""
    folder = Path("/proc/self/fd")
    sizes = []
    for number in folder.iterdir():
        try:
            if " (deleted)" in os.readlink(number):
                sizes.append(number.stat().st_size)
        except FileNotFoundError:
            continue
    return sizes


def test_a_hundred_at_once_get_a_result_or_are_asked_to_come_back(
    address: tuple[str, int],
) -> None:
    picture = saved("BMP", drawing(1, (600, 400)))
    together = threading.Barrier(100)

    def upload(number: int) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection(*address, timeout=120)
        together.wait()
        connection.request(
            "POST",
            "/api/v1/search" if number % 2 else "/search",
            body_of(picture),
            {"Content-Type": "multipart/form-data; boundary=cut-here"},
        )
        with closing(connection), connection.getresponse() as answer:
            assert answer.read()
            return answer.status, answer.headers["Retry-After"]

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(upload, range(100)))
    assert set(answers) <= {(200, None), (503, "5")}
    assert (200, None) in answers
    assert (503, "5") in answers


def test_only_some_are_taken_in_at_a_time(address: tuple[str, int]) -> None:
    body = body_of(bytes(3 * bodies.SMALL))
    connections = [half_sent(address, body) for _ in range(_PLACES)]
    wait_until(lambda: len(bodies._kept) == _PLACES)
    one_more = half_sent(address, body)
    refused = answer_to(one_more, body[len(body) // 2 :])
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert b'"code": "service_unavailable"' in refused.read()
    with urllib.request.urlopen("http://{}:{}/search?q=dog".format(*address)) as search:
        assert search.status == 200
    first = connections[0]
    assert answer_to(first, body[len(body) // 2 :]).status == 400  # it is no picture
    again = half_sent(address, body)
    assert answer_to(again, body[len(body) // 2 :]).status == 400
    for connection in [*connections, one_more, again]:
        connection.close()


def test_who_hangs_up_in_the_middle_leaves_room(address: tuple[str, int]) -> None:
    body = body_of(bytes(3 * bodies.SMALL))
    connections = [half_sent(address, body) for _ in range(_PLACES)]
    wait_until(lambda: len(bodies._kept) == _PLACES)
    for connection in connections:
        connection.close()
    wait_until(lambda: not bodies._kept)
    with half_sent(address, body) as connection:
        assert answer_to(connection, body[len(body) // 2 :]).status == 400


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the files of a process")
def test_what_is_too_large_is_refused_and_not_kept(address: tuple[str, int]) -> None:
    length = bodies.LARGEST + 1
    with socket.create_connection(address, 60) as connection:
        connection.sendall(head_of(length) + bytes(length // 2))
        assert max(kept_files(), default=0) < bodies.LARGEST // 4
        answer = answer_to(connection, bytes(length - length // 2))
        assert answer.status == 413
        assert b"pictures of up to 64 MB" in answer.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the files of a process")
def test_what_does_not_say_its_length_is_refused_when_it_is_too_large(
    address: tuple[str, int],
) -> None:
    megabyte = b"100000\r\n" + bytes(2**20) + b"\r\n"
    with socket.create_connection(address, 60) as connection:
        connection.sendall(
            b"POST /search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with pytest.raises(ConnectionError):
            for _ in range(500):
                connection.sendall(megabyte)
    wait_until(lambda: max(kept_files(), default=0) < bodies.LARGEST // 4)


def test_small_uploads_are_looked_at_a_few_at_a_time(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_uploads", threading.BoundedSemaphore(1))
    picture = body_of(saved("PNG", drawing(2)))
    with pictures._uploads, socket.create_connection(address, 60) as connection:
        refused = answer_to(connection, head_of(len(picture)) + picture)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert b"hands full" in refused.read()
    with socket.create_connection(address, 60) as connection:
        assert answer_to(connection, head_of(len(picture)) + picture).status == 200
