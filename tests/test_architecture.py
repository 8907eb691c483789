"""The rooms and who may look into which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("library", "crawler", "search", "mlx_clip", "web")
ALLOWED = {
    "mlx_clip": set(),
    "library": set(),
    "crawler": {"library", "mlx_clip"},
    "search": {"library", "mlx_clip"},
    # The site starts crawls and stops them; how they are done is no matter of its own.
    "web": {"search", "library", "crawler.crawl", "crawler.background"},
}
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
MLX_FILES = {
    f"mlx_clip/{name}.py" for name in ("clip", "siglip", "transformer", "mlx_encoder", "mlx_device")
} | {"mlx_clip/labelled.py"}  # mlx.data, which reads data sets
SQL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE FROM", "PRAGMA ", "CREATE TABLE")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            assert node.module
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for module in imports(path):
        other = module.split(".")[0]
        if other in ROOMS and other != room:
            allowed = any(f"{module}.".startswith(f"{place}.") for place in ALLOWED[room])
            assert allowed, f"{name(path)} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_chromadb_is_imported_by_its_files_alone(path: Path) -> None:
    if not name(path).startswith("library/chroma"):
        assert not any(module.split(".")[0] == "chromadb" for module in imports(path))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_mlx_is_imported_by_its_files_alone_and_pytorch_by_none(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports(path)}
    assert not roots & {"torch", "transformers", "open_clip"}
    if "mlx" in roots:
        assert name(path) in MLX_FILES


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(ROOT).parts[0] != "library"], ids=name
)
def test_sql_stands_in_the_library_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.lstrip().startswith(SQL), f"{name(path)}:{node.lineno}"


def test_importing_does_nothing(tmp_path: Path) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in MODULES
        if path.name not in ("__main__.py",)
    ]
    script = f"""
import signal, sys, threading
before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
sys.path.insert(0, {str(ROOT)!r})
written = []
sys.addaudithook(lambda event, args: written.append(args[0]) if event == "open"
    and isinstance(args[1], str) and set(args[1]) & set("wax+")
    and "__pycache__" not in str(args[0]) else None)
import app
for name in {names!r}:
    __import__(name)
assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)), "signals"
assert threading.active_count() == 1, threading.enumerate()
assert not written, written
# They may be missing.
assert not {{"rawpy", "pillow_jxl", "av"}} & set(sys.modules), "imported before they are needed"
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
