"""Addresses that try to lead out of what is served: those of tests/test_traversal.py, counted."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from bench.table import table
from reliability.at_work import site_at_work
from tests.test_traversal import ATTEMPTS, ask

_REFUSED = (301, 302, 308, 400, 404, 405)
# What is somewhere above every folder: the password file and the program's own files.
_SECRETS = (b"root:", b"SQLite format", b"def create_app")


def traversal_section(work: Path) -> str:
    """Ask the program for each of them, as it is written."""
    with site_at_work(work) as site:
        parts = urlsplit(site.address)
        assert parts.hostname and parts.port
        address = (parts.hostname, parts.port)
        served = [path for path in ATTEMPTS if _is_served(address, path)]
    for path in served:
        print(path)
    rows = [[f"{len(ATTEMPTS)}", f"{len(served)}"]]
    return f"## Traversal\n\n{table(['attempts', 'served'], rows)}\n"


def _is_served(address: tuple[str, int], path: str) -> bool:
    status, to, body = ask(address, os.fsencode(path))
    if to is not None:
        status, _, body = ask(address, os.fsencode(urlsplit(to).path))
    return status not in _REFUSED or any(secret in body for secret in _SECRETS)
