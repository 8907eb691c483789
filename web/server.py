"""Server: the app on a socket, served by waitress until a signal comes, or beside a window."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import waitress
from flask import Flask
from waitress import wasyncore
from waitress.server import BaseWSGIServer

from library.errors import SettingsError
from web.bodies import SMALL, Channel

_THREADS = 8
# Whoever keeps hundreds of connections open, and says nothing, shall not keep others out.
_MOST_CONNECTIONS = 1_000
_MOST_FILES = 4_096
_LOOK = 0.5  # seconds between looks whether to end


class Server:
    """An app that listens, and is served once `run` or `beside` says so.

    Raises SettingsError when nothing can listen there.
    """

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._server = waitress.create_server(
                app,
                map=self._sockets,
                host=host,
                port=port,
                threads=_THREADS,
                connection_limit=min(_MOST_CONNECTIONS, _open_files() // 2),
                asyncore_use_poll=True,  # select ends at file number 1,024
                inbuf_overflow=SMALL,
                channel_request_lookahead=1,  # else who hung up while waiting is answered in full
                log_socket_errors=False,  # that somebody hung up
                ident=None,
            )
        except (OSError, ValueError) as error:  # waitress has a ValueError for unknown hosts
            why = getattr(error, "strerror", None) or error
            raise SettingsError(
                f"cannot listen on {host}, port {port}: {why}. "
                "Choose another with --port (make run PORT=5001), or --host"
            ) from error
        for each in self._sockets.values():  # a name may have several addresses
            if isinstance(each, BaseWSGIServer):
                each.channel_class = Channel
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
            wasyncore.loop(timeout=_LOOK, use_poll=True, map=self._sockets, count=1)


def _open_files() -> int:
    """How many files the process may open; macOS starts programs with 256, and lets them ask."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
