"""Search by a picture's address: what is fetched, from where, and what is said when it is not.

The servers are real ones, on loopback, which is no public address: the fetchers that may reach them
are told so, and one that is not is shown to refuse them.
"""

from __future__ import annotations

import io
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from library.settings import Settings
from mlx_clip import Encoder
from tests.pictures import drawing, fill
from tests.web_fixtures import crawl_folder, opened, settings_of
from web import site
from web.fetch import Fetcher

MOST = 300_000
# Far more than any answer of a server on loopback takes, and short enough to wait for.
SECONDS = 0.4


def here(address: str) -> bool:
    return address in ("127.0.0.1", "::1")


FETCHER = Fetcher(MOST, 20, here)


def picture() -> bytes:
    content = io.BytesIO()
    drawing(7).save(content, "PNG")
    return content.getvalue()


class Web(BaseHTTPRequestHandler):
    """A small web: pictures, and everything that may go wrong with them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        kind, _, rest = self.path[1:].partition("/")
        answers: dict[str, Callable[[str], None]] = {
            "picture": lambda _: self.answer(200, picture()),
            "chunked": lambda _: self.chunks(),
            "text": lambda _: self.answer(200, b"<title>no picture</title>"),
            "empty": lambda _: self.answer(200, b""),
            "large": lambda _: self.answer(200, bytes(MOST + 1)),
            "endless": lambda _: self.endless(),
            "to": lambda place: self.answer(302, b"", place),
            "hops": self.hop,
            "trickle": lambda _: self.trickle(),
        }
        found = answers.get(kind)
        if found is None:
            self.answer(404, b"gone")
        else:
            found(rest)

    def answer(self, status: int, content: bytes, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def hop(self, left: str) -> None:
        self.answer(307, b"", f"/hops/{int(left) - 1}" if int(left) > 1 else "/picture")

    def chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        content = picture()
        for part in (content[:100], content[100:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def endless(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(65_536))

    def trickle(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x")
            time.sleep(SECONDS / 20)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves `Web`, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Web)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that hang up are what is tested."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web() -> Iterator[Server]:
    server = Server()
    with serving(server):
        yield server


def refused(fetcher: Fetcher, url: str) -> tuple[int | None, str]:
    with pytest.raises(HTTPException) as caught:
        fetcher.fetch(url)
    description = caught.value.description or ""
    assert description.endswith(".")
    return caught.value.code, description


@pytest.mark.parametrize("path", ["picture", "chunked", "hops/3", "to//picture"])
def test_what_is_fetched(web: Server, path: str) -> None:
    assert FETCHER.fetch(f" {web.address}/{path} ") == picture()


def test_nothing_is_asked_to_be_compressed_and_odd_names_are_quoted(web: Server) -> None:
    FETCHER.fetch(f"{web.address}/picture/한글 name%20.png?a=ü&b=1#part")
    ((path, headers),) = web.asked
    assert path == "/picture/%ED%95%9C%EA%B8%80%20name%20.png?a=%C3%BC&b=1"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Host"] == web.address.removeprefix("http://")


def test_nothing_private_is_reached(web: Server) -> None:
    port = web.server_port
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "0.0.0.0",
                 "[::ffff:127.0.0.1]", "192.168.1.1", "10.0.0.1", "169.254.169.254"):  # fmt: skip
        status, said = refused(Fetcher(MOST), f"http://{host}:{port}/picture")
        assert status == 403, host
        assert "not on the public internet" in said
    assert web.asked == []


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes pictures.example resolve to the given addresses, one list a question."""

    def says(*answers: list[str]) -> None:
        left = iter(answers)
        resolve = socket.getaddrinfo

        def answer(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
            found = next(left) if host == "pictures.example" else [host]
            return [info for each in found for info in resolve(each, port, *rest, **named)]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    return says


def test_one_private_address_of_several_is_enough(
    web: Server, name_server: Callable[..., None]
) -> None:
    name_server(["127.0.0.1", "127.0.0.2"])
    one_of_two = Fetcher(MOST, 20, lambda address: address == "127.0.0.1")
    assert refused(one_of_two, f"http://pictures.example:{web.server_port}/picture")[0] == 403
    assert web.asked == []


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    web: Server, name_server: Callable[..., None]
) -> None:
    name_server(["127.0.0.1"], ["127.0.0.2"])  # where nobody listens
    assert FETCHER.fetch(f"http://pictures.example:{web.server_port}/picture") == picture()
    ((_, headers),) = web.asked
    assert headers["Host"] == f"pictures.example:{web.server_port}"


def test_of_several_addresses_the_first_that_answers_is_asked(
    web: Server, name_server: Callable[..., None]
) -> None:
    name_server(["127.0.0.2", "127.0.0.1"])
    both = Fetcher(MOST, 20, lambda address: True)
    assert both.fetch(f"http://pictures.example:{web.server_port}/picture") == picture()


def test_a_name_server_that_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    assert refused(replace(FETCHER, seconds=SECONDS), "http://pictures.example/")[0] == 504
    answered.set()


def test_where_it_leads_on_to_is_checked_again(web: Server) -> None:
    only_here = Fetcher(MOST, 20, lambda address: address == "127.0.0.1")
    for place in ("http://[::1]/picture", "http://10.0.0.1/", "//169.254.169.254/latest"):
        assert refused(only_here, f"{web.address}/to/{place}")[0] == 403
    for place in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://me:secret@127.0.0.1/"):
        assert refused(only_here, f"{web.address}/to/{place}")[0] == 400
    assert len(web.asked) == 6


def test_it_is_not_followed_for_ever(web: Server) -> None:
    status, said = refused(FETCHER, f"{web.address}/hops/4")
    assert (status, "3 times" in said) == (502, True)
    assert len(web.asked) == 4


@pytest.mark.parametrize(
    "url",
    ["", "picture.jpg", "file:///etc/passwd", "ftp://a.example/x", "data:image/png;base64,AA==",
     "http://", "http:///x", "http://[half", "http://a.example:0/", "http://a.example:x/",
     "http://a.example:99999/", "http://me@a.example/", "http://me:secret@a.example/",
     "http://.example/", f"http://{'a' * 64}.example/", "javascript:alert(1)",
     "http://8.8.8.8\\@127.0.0.1/"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    assert refused(FETCHER, url)[0] == 400


def test_what_does_not_arrive(web: Server) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        closed = nobody.getsockname()[1]
        cases = {
            f"{web.address}/gone": "404",
            f"http://127.0.0.1:{closed}/": "refused",
            "http://nowhere.invalid/x.png": "nowhere.invalid could not be asked",
            f"{web.address.replace('http', 'https')}/picture": "could not be asked",
        }
        for url, expected in cases.items():
            status, said = refused(FETCHER, url)
            assert status == 502
            assert expected in said.replace("Connection ", "")


def test_a_server_that_does_not_speak_http() -> None:
    class Nonsense(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0-nonsense\r\n" * 3)

    with socketserver.TCPServer(("127.0.0.1", 0), Nonsense) as server, serving(server):
        status, said = refused(FETCHER, f"http://127.0.0.1:{server.server_address[1]}/")
    assert status == 502
    assert "SSH" not in said


@pytest.mark.parametrize("path", ["large", "endless"])
def test_what_is_too_large(web: Server, path: str) -> None:
    assert refused(replace(FETCHER, most_bytes=MOST), f"{web.address}/{path}")[0] == 413


def test_a_server_that_takes_its_time(web: Server) -> None:
    """A body that trickles, headers that do, a handshake and an answer that never come."""

    class Slow(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not stopped.wait(SECONDS / 20):
                self.wfile.write(b"X")

    class Threads(socketserver.ThreadingTCPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    stopped = threading.Event()
    hurried = replace(FETCHER, seconds=SECONDS)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Threads(("127.0.0.1", 0), Slow) as slow,
        serving(slow),
    ):
        mute, drip = silent.getsockname()[1], slow.server_address[1]
        for url in (
            f"{web.address}/trickle",
            f"http://127.0.0.1:{drip}/",
            f"http://127.0.0.1:{mute}/",
            f"https://127.0.0.1:{mute}/",
        ):
            assert refused(hurried, url)[0] == 504, url
        stopped.set()
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Settings:
    """The settings of a library of eight drawings."""
    base = tmp_path_factory.mktemp("by-url")
    fill(base / "photos", 8)
    settings = settings_of(base / "data", "5")
    crawl_folder(settings, encoder, base / "photos")
    return settings


@pytest.fixture
def searching(library: Settings) -> Iterator[FlaskClient]:
    """A client of a site that may fetch from this machine."""
    with opened(replace(library, search_by_url=True)) as app:
        site.register(app, replace(site.of(app), fetcher=FETCHER))
        yield app.test_client()


def test_a_search_by_address_finds_what_an_upload_finds(
    searching: FlaskClient, web: Server
) -> None:
    uploaded = searching.post(
        "/api/v1/search?limit=5", data={"image": (io.BytesIO(picture()), "a.png")}
    )
    by_address = searching.get(f"/api/v1/search?limit=5&url={web.address}/picture")
    assert by_address.status_code == 200
    assert by_address.get_json() == {
        **uploaded.get_json(),
        "seconds": by_address.get_json()["seconds"],
    }
    assert len(by_address.get_json()["hits"]) == 5
    page = searching.get(f"/search?url={web.address}/picture")
    assert page.status_code == 200
    assert 'id="url"' in page.text
    assert "Pictures like yours" in page.text


def test_what_cannot_be_searched_with(
    searching: FlaskClient, web: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for path, status in (("text", 400), ("empty", 400), ("large", 413), ("gone", 502)):
        answer = searching.get(f"/api/v1/search?url={web.address}/{path}")
        assert answer.status_code == status, path
        assert answer.get_json()["error"]["message"].endswith(".")
        page = searching.get(f"/search?url={web.address}/{path}")
        assert page.status_code == status
        assert "Traceback" not in page.text
    both = searching.get(f"/api/v1/search?q=dog&url={web.address}/picture")
    assert both.status_code == 200
    assert caplog.records == []


def test_another_site_cannot_make_this_one_fetch(searching: FlaskClient, web: Server) -> None:
    url = f"/search?url={web.address}/picture"
    answer = searching.get(url, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert web.asked == []


def test_it_is_off_unless_switched_on(library: Settings, web: Server) -> None:
    with opened(library) as app:
        client = app.test_client()
        for path in ("/search", "/api/v1/search"):
            answer = client.get(f"{path}?url={web.address}/picture")
            assert answer.status_code == 403
            assert "SEARCH_BY_URL=on" in answer.text
        assert 'id="url"' not in client.get("/").text
    assert web.asked == []


def test_switched_on_it_is_strict(library: Settings, web: Server) -> None:
    with opened(replace(library, search_by_url=True)) as app:
        answer = app.test_client().get(f"/search?url={web.address}/picture")
        assert answer.status_code == 403
        assert "not on the public internet" in answer.text
    assert web.asked == []
