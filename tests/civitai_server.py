"""A server that speaks CivitAI's API: models and pictures by cursor, and all that may go wrong."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.pictures import drawing

PAGE = 2


def jpeg(seed: int) -> bytes:
    content = io.BytesIO()
    drawing(seed).save(content, "JPEG", quality=90)
    return content.getvalue()


class Civitai(ThreadingHTTPServer):
    """Models 1, 2, ... each of version 10, 20, ... and of a few pictures.

    `trouble` says what happens to a path: a list of answers that come first, each once.
    """

    def __init__(self, models: int = 3, pictures: int = 3) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = f"http://127.0.0.1:{self.server_address[1]}"
        self.host: str | None = None
        """Where pictures really are, when they are somewhere else."""
        self.redirects = True
        """Whether one is told so only when one asks for them."""
        self.models = [model(number) for number in range(1, models + 1)]
        self.pictures = {
            number * 10: [number * 100 + place for place in range(pictures)]
            for number in range(1, models + 1)
        }
        self.contents: dict[int, bytes] = {}
        """What a picture is, where it is not its own drawing."""
        self.unsafe: set[int] = set()
        self.trouble: dict[str, list[str]] = {}
        self.asked: Counter[str] = Counter()
        self.headers: list[tuple[str, dict[str, str]]] = []

    def fetched(self) -> dict[int, int]:
        """How often each picture was asked for."""
        return {
            int(path.rpartition("/")[2].partition(".")[0]): times
            for path, times in self.asked.items()
            if path.startswith("/pictures/")
        }


def model(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Style {number}",
        "type": "LORA",
        "nsfw": False,
        "tags": ["style", f"tag {number}"],
        "creator": {"username": "somebody", "image": None},
        "stats": {"downloadCount": 100 * number, "rating": 4.5},
        "modelVersions": [
            {
                "id": number * 10,
                "name": "v2",
                "baseModel": "SDXL 1.0" if number % 2 else "SD 1.5",
                "trainedWords": [f"word{number}"],
            }
        ],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Civitai

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.asked[url.path] += 1
        self.server.headers.append((url.path, dict(self.headers)))
        waiting = self.server.trouble.get(url.path)
        if waiting and self.make_trouble(waiting.pop(0)):
            return
        if url.path == "/api/v1/models":
            models = self.server.models
            if wanted := asked.get("baseModels"):
                models = [one for one in models if one["modelVersions"][0]["baseModel"] == wanted]
            self.page(models, asked)
        elif url.path == "/api/v1/images":
            ids = self.server.pictures[int(asked["modelVersionId"])]
            self.page([self.picture(number) for number in ids], asked)
        elif url.path.startswith("/pictures/"):
            number = int(url.path.rpartition("/")[2].partition(".")[0])
            if self.server.host:
                self.send(302, b"", Location=f"{self.server.host}/real/{number}.jpeg")
            else:
                self.send(200, self.server.contents.get(number, jpeg(number)))
        elif url.path.startswith("/real/"):
            self.send(200, jpeg(int(url.path.rpartition("/")[2].partition(".")[0])))
        else:
            self.send(404, b"nothing")

    def make_trouble(self, kind: str) -> bool:
        if kind.startswith("wait "):
            self.send(429, b"slow down", **{"Retry-After": kind[5:]})
        elif kind == "cut off":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(jpeg(1)[:500])
            self.close_connection = True
        elif kind == "html":
            self.send(200, b"<!doctype html><title>One moment</title>")
        elif kind == "truncated":
            self.send(200, jpeg(5)[:-600])
        else:
            self.send(int(kind), b"trouble")
        return True

    def picture(self, number: int) -> dict[str, Any]:
        unsafe = number in self.server.unsafe
        at = f"{self.server.site}/pictures"
        if self.server.host and not self.server.redirects:
            at = f"{self.server.host}/real"
        return {
            "id": number,
            "url": f"{at}/{number}.jpeg",
            "nsfw": unsafe,
            "nsfwLevel": "X" if unsafe else "None",
            "meta": {"prompt": f"a drawing, number {number}"} if number % 2 else None,
        }

    def page(self, items: list[dict[str, Any]], asked: dict[str, str]) -> None:
        first = int(asked.get("cursor", "at:0").removeprefix("at:"))
        end = first + PAGE
        metadata = {"nextCursor": f"at:{end}"} if end < len(items) else {}
        self.send(200, json.dumps({"items": items[first:end], "metadata": metadata}).encode())

    def send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def serving(server: Civitai) -> Iterator[Civitai]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
