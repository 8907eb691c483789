"""The environment that rclip runs in: .venv-rclip, made when it is first needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import ROOT

_REQUIREMENTS = ROOT / "requirements-rclip.txt"
_FOLDER = ROOT / ".venv-rclip"


class NoRclipError(Exception):
    """rclip cannot be had here; the message says why."""


def rclip_python() -> Path:
    """The Python that has rclip. Raises NoRclipError."""
    python, stamp = _FOLDER / "bin" / "python", _FOLDER / "installed"
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"Making {_FOLDER.name}, with rclip.", file=sys.stderr, flush=True)
        _run(sys.executable, "-m", "venv", "--clear", _FOLDER)
        _run(python, "-m", "pip", "--disable-pip-version-check", "install", "-r", _REQUIREMENTS)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or "it says nothing"
        raise NoRclipError(
            f"{_FOLDER.name} could not be made ({said.splitlines()[-1]}). rclip needs a network "
            "to be installed from, and Python 3.11 to 3.13"
        )
