"""Server: the app on a socket, served by waitress until a signal comes, or beside a window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import waitress
from flask import Flask
from waitress import wasyncore

from library.errors import SettingsError

_THREADS = 8
_LOOK = 0.5  # seconds between looks whether to end


class Server:
    """An app that listens, and is served once `run` or `beside` says so.

    Raises SettingsError when nothing can listen there.
    """

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._server = waitress.create_server(
                app, map=self._sockets, host=host, port=port, threads=_THREADS, ident=None
            )
        except (OSError, ValueError) as error:  # waitress has a ValueError for unknown hosts
            why = getattr(error, "strerror", None) or error
            raise SettingsError(
                f"cannot listen on {host}, port {port}: {why}. "
                "Choose another with --port (make run PORT=5001), or --host"
            ) from error
        port = getattr(self._server, "effective_port", port)
        self.address = f"http://{_shown(host)}:{port}"

    def run(self) -> None:
        """Serve until a signal comes."""
        self._server.run()  # comes back when a signal's SystemExit reaches it
        self._server.close()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Serve meanwhile, from a thread: the main one belongs to the window."""
        ended = threading.Event()
        thread = threading.Thread(target=self._loop, args=(ended,), name="server")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._sockets)

    def _loop(self, ended: threading.Event) -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=_LOOK, map=self._sockets, count=1)


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
