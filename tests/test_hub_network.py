"""Downloads that break off or arrive wrong, and a Hub that refuses or says nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub
import pytest

from mlx_clip.errors import EncoderError, HubError, ModelNotFoundError
from mlx_clip.hub import Hub
from tests.hub_fixtures import REPO, model, small_files, started, weights
from tests.hub_fixtures import cache as cache
from tests.hub_fixtures import hub as hub
from tests.hub_fixtures import server as server
from tests.hub_server import Fault, HubServer, sha256

BIG = 1_000_000
ADVICE = "CLIP_MODEL=starter"


def test_a_download_that_broke_off_goes_on_in_the_next_fetch(server: HubServer, hub: Hub) -> None:
    server.add(REPO, model(count=BIG))
    server.faults = [
        Fault("/cdn/", times=1, cut_after=3_000_000),
        Fault("/cdn/", times=1, status=503),
    ]
    with pytest.raises(HubError, match=f"503.*{ADVICE}"):
        hub.fetch(REPO)
    assert server.sent["model.safetensors"] == 3_000_000
    folder = hub.fetch(REPO).folder
    assert (folder / "model.safetensors").read_bytes() == weights(count=BIG)
    assert [request.range for request in server.requests if "/cdn/" in request.path] == [
        "",
        "bytes=3000000-",
        "bytes=3000000-",
    ]
    assert server.sent["model.safetensors"] == len(weights(count=BIG))
    assert all(server.sent[name] == len(content) for name, content in small_files().items())


def test_a_dropped_line_is_taken_up_at_once(server: HubServer, hub: Hub) -> None:
    server.add(REPO, model(count=BIG))
    server.faults = [Fault("/cdn/", times=3, cut_after=1_000_000)]
    hub.fetch(REPO)
    assert server.sent["model.safetensors"] == len(weights(count=BIG))


def test_a_server_that_ignores_ranges_sends_it_whole(server: HubServer, hub: Hub) -> None:
    server.add(REPO, model(count=BIG))
    server.faults = [Fault("/cdn/", times=1, cut_after=1_000_000), Fault("/cdn/", no_ranges=True)]
    path = hub.fetch(REPO).folder / "model.safetensors"
    assert path.read_bytes() == weights(count=BIG)
    assert server.sent["model.safetensors"] == 1_000_000 + len(weights(count=BIG))


@pytest.mark.parametrize("name", ["model.safetensors", "merges.txt"])
def test_a_wrong_byte_is_noticed_and_fetched_again(
    server: HubServer, hub: Hub, cache: Path, name: str
) -> None:
    server.add(REPO, model())
    path = f"/cdn/{sha256(weights())}" if name == "model.safetensors" else name
    server.faults = [Fault(path, times=3, wrong_byte=True)]
    with pytest.raises(HubError, match=f"{name} .* arrives damaged"):
        hub.fetch(REPO)
    assert not list(cache.rglob(name))
    assert not list(cache.rglob("*.incomplete"))
    assert (hub.fetch(REPO).folder / name).read_bytes() == model()[name]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("", status=404, code="RepoNotFound"), ModelNotFoundError, "misspelt"),
        (Fault("", status=401), ModelNotFoundError, "misspelt"),
        (
            Fault("", status=401, says="Invalid credentials in Authorization header"),
            HubError,
            "token",
        ),
        (Fault("", status=403, code="GatedRepo"), ModelNotFoundError, "licence.*hf auth login"),
        (Fault("resolve", status=401, code="GatedRepo"), ModelNotFoundError, "licence"),
        (Fault("", status=403), HubError, "refuses"),
        (Fault("", status=429), HubError, "in a few minutes"),
        (Fault("", status=500), HubError, ADVICE),
        (Fault("", status=200), HubError, ADVICE),
        (Fault("merges.txt", status=500), HubError, ADVICE),
    ],
)
def test_a_refusal_says_what_to_do(
    server: HubServer, hub: Hub, fault: Fault, kind: type[EncoderError], words: str
) -> None:
    server.add(REPO, model())
    server.faults = [fault]
    began = time.monotonic()
    with pytest.raises(kind, match=words):
        hub.fetch(REPO)
    assert time.monotonic() - began < 2
    assert hub.answers(REPO, 5) is bool(fault.path)


def test_a_revision_or_weights_that_are_not_there_are_named(server: HubServer, hub: Hub) -> None:
    server.add(REPO, small_files() | {"tf_model.h5": b"tf"})
    with pytest.raises(ModelNotFoundError, match="no revision 'v9'"):
        hub.fetch(f"{REPO}@v9")
    with pytest.raises(ModelNotFoundError, match=r"no weights.*model\.safetensors"):
        hub.fetch(REPO)
    assert not server.asked()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/api/", stall_after=0),
        Fault("/api/", trickle="head"),
        Fault("/api/", trickle="body"),
    ],
)
def test_answers_keeps_to_its_time(server: HubServer, hub: Hub, fault: Fault) -> None:
    server.add(REPO, model())
    server.faults = [fault]
    began = time.monotonic()
    assert not hub.answers(REPO, 0.5)
    assert 0.4 < time.monotonic() - began < 1.5


def test_a_hub_that_never_gets_to_the_end_is_an_error_within_15_seconds(
    server: HubServer, hub: Hub
) -> None:
    server.faults = [
        Fault("silent", stall_after=0),
        Fault("slow-head", trickle="head"),
        Fault("slow-body", trickle="body"),
    ]
    for name in ("silent", "slow-head", "slow-body"):
        server.add(f"org/{name}", model())

    def seconds(name: str) -> float:
        began = time.monotonic()
        with pytest.raises(HubError, match=f"org/{name} .*{ADVICE}"):
            hub.fetch(f"org/{name}")
        return time.monotonic() - began

    with ThreadPoolExecutor() as pool:
        assert max(pool.map(seconds, ("silent", "slow-head", "slow-body"))) < 15


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_no_network_is_an_error_at_once(
    server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    for endpoint in (f"http://127.0.0.1:{closed_port()}", "http://no-such-host.invalid"):
        with pytest.raises(HubError, match=f"{REPO} is not complete.*{ADVICE}"):
            Hub(cache, endpoint).fetch(REPO)
        assert not Hub(cache, endpoint).answers(REPO, 5)
    for proxy in (f"http://127.0.0.1:{closed_port()}", "nonsense://proxy"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        huggingface_hub.close_session()
        with pytest.raises(HubError, match=ADVICE):
            Hub(cache, server.endpoint).fetch(REPO)
    assert time.monotonic() - began < 5


def test_a_download_that_stalls_ends_and_goes_on_later(
    server: HubServer, hub: Hub, cache: Path
) -> None:
    commit = server.add(REPO, model(count=BIG))
    server.faults = [
        Fault("/cdn/", times=1, stall_after=1_000_000),
        Fault("/cdn/", times=1, stall_after=0),
    ]
    began = time.monotonic()
    first = started(server, cache, REPO, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert "HubError" in first.communicate(timeout=15)[1]
    assert time.monotonic() - began < 10
    assert hub.fetch(REPO).commit == commit
    assert server.sent["model.safetensors"] == len(weights(count=BIG))


def test_offline_mode_is_honoured(server: HubServer, cache: Path) -> None:
    server.add(REPO, model())
    asked = started(server, cache, REPO, HF_HUB_OFFLINE="1")
    assert "HubError: HF_HUB_OFFLINE is set" in asked.communicate(timeout=15)[1]
    assert not server.requests


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(
    server: HubServer, hub: Hub
) -> None:
    server.add(REPO, model())
    server.claimed_sizes["merges.txt"] = 10**18
    with pytest.raises(HubError, match="MB free"):
        hub.fetch(REPO)
    assert not server.asked()


@pytest.mark.fault("disk full")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is a device of Linux")
def test_a_disk_that_fills_up_is_said(server: HubServer, hub: Hub, cache: Path) -> None:
    server.add(REPO, model(count=BIG))
    blobs = cache / "models--laion--CLIP-ViT-B-32" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{sha256(weights(count=BIG))}.incomplete").symlink_to("/dev/full")
    with pytest.raises(HubError, match=r"the disk is full.*HF_HOME"):
        hub.fetch(REPO)


def test_a_cache_that_cannot_be_written_is_said(server: HubServer, tmp_path: Path) -> None:
    server.add(REPO, model())
    (tmp_path / "file").touch()
    with pytest.raises(HubError, match="HF_HOME"):
        Hub(tmp_path / "file" / "hub", server.endpoint).fetch(REPO)


def test_ctrl_c_passes_through_and_what_arrived_is_kept(server: HubServer, cache: Path) -> None:
    server.add(REPO, model(count=BIG))
    server.faults = [Fault("/cdn/", stall_after=2_000_000)]
    process = started(server, cache, REPO)
    partial = (
        cache / "models--laion--CLIP-ViT-B-32/blobs" / f"{sha256(weights(count=BIG))}.incomplete"
    )
    wait_until(lambda: partial.is_file() and partial.stat().st_size > 1_900_000)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=3)[1]
    assert partial.stat().st_size > 1_900_000


def test_the_progress_is_shown_on_a_terminal(server: HubServer, cache: Path) -> None:
    commit = server.add(REPO, model(count=BIG))
    terminal, stderr = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    shown = started(server, cache, REPO, stderr=stderr)
    os.close(stderr)
    assert shown.communicate(timeout=15)[0] == f"{commit}\n"
    said = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert "model.safetensors: 100%" in said


def test_two_processes_at_once_fetch_it_once(server: HubServer, hub: Hub, cache: Path) -> None:
    commit = server.add(REPO, model())
    server.faults = [Fault("/cdn/", times=1, held=True)]
    first = started(server, cache, REPO)
    wait_until(lambda: any("/cdn/" in request.path for request in server.requests))
    with ThreadPoolExecutor() as pool:
        second = pool.submit(hub.fetch, REPO)
        time.sleep(0.3)
        server.release.set()
        assert first.communicate(timeout=15) == (f"{commit}\n", "")
        assert second.result(15).commit == commit
    assert len(server.requests) == 1 + len(model()) + 1, "the API, the files, and the redirect"


def test_without_a_terminal_only_the_hub_is_spoken_to_and_only_of_the_model(
    server: HubServer, cache: Path
) -> None:
    commit = server.add(REPO, model())
    fetched = started(server, cache, REPO, HF_HOME=str(cache.parent))
    assert fetched.communicate(timeout=15) == (f"{commit}\n", "")
    for request in server.requests:
        assert request.path.startswith((f"/api/models/{REPO}/", f"/{REPO}/", "/cdn/"))
        elsewhere = request.path.startswith("/cdn/")
        assert request.token == ("" if elsewhere else "Bearer hf_of_the_tests")


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
