"""A model hub on 127.0.0.1 that answers as the real one does, counts, and misbehaves when told to.

What it speaks is what huggingface.co speaks: `/api/models/REPO/revision/REV?blobs=true`, and
`/REPO/resolve/REV/FILE`, from the server itself for a file in git and by a redirect to another
host (here: `localhost`) for one in LFS; ETag, X-Repo-Commit, X-Linked-Size, X-Linked-Etag,
X-Error-Code, and Range.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]
_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)")
_FILE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")
_CDN = re.compile(r"/cdn/(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class Fault:
    """How the server misbehaves for what is asked with `path` in its address."""

    path: str
    times: int = 1_000_000
    status: int = 0
    code: str = ""
    says: str = ""
    cut_after: int | None = None
    """Close the connection after so many bytes of the body."""
    stall_after: int | None = None
    """Say nothing more after so many bytes of the body; 0 also keeps the head back."""
    wrong_byte: bool = False
    trickle: str = ""
    """`head` or `body`: a byte every half second from there on."""
    no_ranges: bool = False
    held: bool = False
    """Wait for `server.release` before anything is sent."""


@dataclass
class Repo:
    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, branch: str = "main") -> str:
        """Add a commit, move the branch to it, and return its id."""
        commit = hashlib.sha1(repr((files, len(self.commits))).encode()).hexdigest()
        self.commits[commit] = dict(files)
        self.refs[branch] = commit
        return commit


@dataclass(frozen=True)
class Request:
    method: str
    host: str
    path: str
    range: str
    token: str


class HubServer:
    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.elsewhere = f"http://localhost:{port}"
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.sent: Counter[str] = Counter()
        """Bytes of each file's content that went out, by the file's name."""
        self.faults: list[Fault] = []
        self.claimed_sizes: dict[str, int] = {}
        """What the API says of some files' sizes instead of the truth."""
        self.closing = threading.Event()
        self.release = threading.Event()
        self._used: Counter[int] = Counter()
        self._lock = threading.Lock()

    def add(self, repo: str, files: Files) -> str:
        return self.repos.setdefault(repo, Repo()).commit(files)

    def asked(self) -> set[str]:
        """The names of the files that were asked for."""
        found = (_FILE.fullmatch(request.path) for request in self.requests)
        return {match["name"] for match in found if match}

    def forget(self) -> None:
        self.requests.clear()
        self.sent.clear()

    def note(self, request: Request) -> Fault:
        with self._lock:
            self.requests.append(request)
            for number, fault in enumerate(self.faults):
                if fault.path in request.path and self._used[number] < fault.times:
                    self._used[number] += 1
                    return fault
        return Fault("")

    def by_digest(self, digest: str) -> tuple[str, bytes]:
        for repo in self.repos.values():
            for files in repo.commits.values():
                for name, content in files.items():
                    if is_lfs(name) and sha256(content) == digest:
                        return name, content
        raise KeyError(digest)


@contextmanager
def hub_server() -> Iterator[HubServer]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.hub = HubServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.hub
    finally:
        server.hub.closing.set()
        server.hub.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def is_lfs(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", ".h5", ".msgpack", ".onnx", ".model"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sibling(name: str, content: bytes) -> dict[str, Any]:
    if not is_lfs(name):
        return {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
    lfs = {"sha256": sha256(content), "size": len(content), "pointerSize": 134}
    pointer = git_sha1(json.dumps(lfs).encode())
    return {"rfilename": name, "size": len(content), "blobId": pointer, "lfs": lfs}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    hub: HubServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal of the tests."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        range_, token = self.headers.get("Range", ""), self.headers.get("Authorization", "")
        host = self.headers.get("Host", "")
        self.fault = self.server.hub.note(Request(self.command, host, path, range_, token))
        if self.fault.held:
            self.server.hub.release.wait()
        if self.fault.stall_after == 0:
            self._stall()
        elif self.fault.status:
            self._refuse(self.fault.status, self.fault.code, {"X-Error-Message": self.fault.says})
        elif match := _API.fullmatch(path):
            self._model(match["repo"], unquote(match["revision"]))
        elif match := _FILE.fullmatch(path):
            self._file(match["repo"], match["revision"], match["name"])
        elif match := _CDN.fullmatch(path):
            name, content = self.server.hub.by_digest(match["digest"])
            self._content(name, content, {"ETag": f'"{match["digest"]}"'})
        else:
            self._refuse(404, "")

    def _resolve(self, repo: str, revision: str) -> str | None:
        """The commit; None when it was refused."""
        found = self.server.hub.repos.get(repo)
        if found is None:
            self._refuse(404, "RepoNotFound")
            return None
        commit = found.refs.get(revision, revision)
        if commit not in found.commits:
            self._refuse(404, "RevisionNotFound")
            return None
        return commit

    def _model(self, repo: str, revision: str) -> None:
        commit = self._resolve(repo, revision)
        if commit is None:
            return
        blobs = "blobs=true" in urlsplit(self.path).query.lower()
        files = self.server.hub.repos[repo].commits[commit]
        listed = [sibling(*file) if blobs else {"rfilename": file[0]} for file in files.items()]
        size: Any
        for name, size in self.server.hub.claimed_sizes.items():
            next(one for one in listed if one["rfilename"] == name)["size"] = size
        info = {"id": repo, "modelId": repo, "sha": commit, "tags": [], "siblings": listed}
        self._content("", json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _file(self, repo: str, revision: str, name: str) -> None:
        commit = self._resolve(repo, revision)
        if commit is None:
            return
        content = self.server.hub.repos[repo].commits[commit].get(name)
        head = {"X-Repo-Commit": commit}
        if content is None:
            self._refuse(404, "EntryNotFound", head)
        elif is_lfs(name):
            digest = sha256(content)
            head |= {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{digest}"'}
            head["Location"] = f"{self.server.hub.elsewhere}/cdn/{digest}?signature=x"
            self._head(302, 0, head)
        else:
            self._content(name, content, head | {"ETag": f'"{git_sha1(content)}"'})

    def _refuse(self, status: int, code: str, head: dict[str, str] | None = None) -> None:
        self._head(status, 0, (head or {}) | ({"X-Error-Code": code} if code else {}))

    def _content(self, name: str, content: bytes, head: dict[str, str]) -> None:
        if self.fault.wrong_byte:
            content = content[:-1] + bytes([content[-1] ^ 1])
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        # As CloudFront does: who takes compressed bytes is not given a part of them.
        ignored = self.fault.no_ranges or "gzip" in self.headers.get("Accept-Encoding", "")
        start = int(match[1]) if match and not ignored else 0
        if start:
            end = len(content) - 1
            head = head | {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
        self._head(206 if start else 200, len(content) - start, head)
        if self.command == "GET":
            self._send(name, content[start:])

    def _head(self, status: int, length: int, head: dict[str, str]) -> None:
        if self.fault.trickle == "head":
            self._trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000)
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for key, value in head.items():
            self.send_header(key, value)
        self.end_headers()

    def _send(self, name: str, content: bytes) -> None:
        if self.fault.trickle == "body":
            self._trickle(content)
        cut, stall = self.fault.cut_after, self.fault.stall_after
        content = content[: cut if stall is None else stall]
        for at in range(0, len(content), 1 << 16):
            block = content[at : at + (1 << 16)]
            self.server.hub.sent[name] += len(block)
            self.wfile.write(block)
        if stall is not None:
            self._stall()
        if cut is not None:
            self.close_connection = True

    def _stall(self) -> None:
        self.server.hub.closing.wait()
        self.close_connection = True

    def _trickle(self, content: bytes) -> None:
        for at in range(len(content)):
            self.wfile.write(content[at : at + 1])
            if self.server.hub.closing.wait(0.5):
                self.close_connection = True
                break
