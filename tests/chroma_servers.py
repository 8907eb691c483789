"""A real Chroma server on loopback, which a test may stop, kill and start again."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api.client import AdminClient, Client
from chromadb.api.fastapi import FastAPI

from tests.web_fixtures import wait_until

_LONGEST = 20.0


class ChromaServer:
    """`chroma run` over a folder, always on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        if self._process is None:
            program = Path(sys.executable).with_name("chroma")
            options = [
                "--path",
                str(self._folder),
                "--host",
                "127.0.0.1",
                "--port",
                str(self._port),
            ]
            self._process = subprocess.Popen(
                [program, "run", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        wait_until(self._answers)

    def kill(self) -> None:
        """As a machine does that loses power."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and does nothing, for the block, but not for ever."""
        assert self._process
        resume = threading.Timer(_LONGEST, self._process.send_signal, [signal.SIGCONT])
        self._process.send_signal(signal.SIGSTOP)
        resume.start()
        try:
            yield
            assert resume.is_alive(), "somebody waited until it went on"
        finally:
            resume.cancel()
            self._process.send_signal(signal.SIGCONT)

    def counts(self) -> dict[str, int]:
        """The collections of everybody, by their names, and how much they hold."""
        with self._client() as client:
            return {each.name: each.count() for each in client.list_collections()}

    def empty(self) -> None:
        """Remove every collection."""
        with self._client() as client:
            for each in client.list_collections():
                client.delete_collection(each.name)

    def lose(self, *names: str) -> None:
        """Remove these ids from every collection."""
        with self._client() as client:
            for each in client.list_collections():
                each.delete(ids=list(names))

    def add_stranger(self) -> None:
        """What another application keeps there."""
        with self._client() as client:
            stranger = client.create_collection("somebody-else", embedding_function=None)
            stranger.add(ids=["theirs"], embeddings=np.eye(1, 2, dtype=np.float32))

    @contextmanager
    def _client(self) -> Iterator[Client]:
        client = chromadb.HttpClient(self.url)
        assert isinstance(client, Client)
        try:
            yield client
        finally:  # nothing else closes the sockets of either
            admin = client._admin_client
            assert isinstance(admin, AdminClient)
            for server in (client._server, admin._server):
                assert isinstance(server, FastAPI)
                server._session.close()
            client.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1):
                return True
        except OSError:
            return False
