"""Debian packages unpacked into a folder: the pictures of the fit and of the measurements."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

OPENCLIPART = "openclipart-png"
TUXPAINT = "tuxpaint-stamps-default"
GCOMPRIS = "gcompris-qt-data"


class PackageError(Exception):
    """A package can be neither found nor fetched; the message says what to do."""


def unpacked(package: str, folder: Path) -> Path:
    """The folder that holds `package` as unpacked by `dpkg-deb -x`, fetched when it is absent.

    Packages of Debian 12 are what the figures were measured with; others may differ a little.

    Raises:
        PackageError: there is no apt-get here, or it does not deliver.
    """
    target = folder / package
    if target.is_dir():
        return target
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise PackageError(
            f"{target} is absent, and only Debian and its relatives can fetch it (apt-get, "
            f"dpkg-deb). On a Debian, `apt-get download {package}` and `dpkg-deb -x {package}_*.deb"
            f" {package}`; copy the folder {package} into a folder and name that with --debian."
        )
    print(f"Fetching Debian's {package}.", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        _run("apt-get", "download", "-qq", package, cwd=Path(work))
        (archive,) = Path(work).glob("*.deb")
        _run("dpkg-deb", "-x", str(archive), "contents", cwd=Path(work))
        (Path(work) / "contents").rename(target)
    return target


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(
            f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}. "
            "Does `apt-get update` help?"
        )
