"""A decoder of JPEGs that a word in the file has crash, or hang, as those written in C may."""

from __future__ import annotations

from pathlib import Path

CRASHES = b"crash, please"
HANGS = b"hang, please"
_PLUGIN = f"""
import ctypes
from PIL import Image, JpegImagePlugin
Image.init()
def opened(stream, name):
    content = stream.read()
    if {CRASHES!r} in content:
        ctypes.string_at(0)
    if {HANGS!r} in content:
        ctypes.PyDLL(None).pause()  # with Python's lock
    stream.seek(0)
    return JpegImagePlugin.JpegImageFile(stream, name)
Image.register_open("JPEG", opened, lambda head: head[:2] == b"\\xff\\xd8")
"""


def install(folder: Path) -> None:
    """Have Python use it where PYTHONPATH names this folder, which is made."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_PLUGIN, encoding="utf-8")
