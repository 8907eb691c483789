"""Excludes: the patterns of what a crawl passes over, as the command line takes them.

Without a slash a pattern matches the name of a file or folder anywhere; with one, a path relative
to the root that is crawled. `*` and `?` stand for anything but a slash, `[ab]` for one of the
letters, `**` for any number of folders. With a slash at its end a pattern matches folders only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(rb"(?:^|(?<=/))\*\*/|\*+|\?|\[[!^]?\]?[^]]*\]|.", re.DOTALL)


class Excludes:
    """Says of paths relative to a root whether they are excluded, case as given or ignored.

    Raises ValueError for what is no pattern.
    """

    def __init__(self, patterns: Iterable[bytes], ignore_case: bool = False) -> None:
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        every = sorted(patterns)
        of_files = (pattern for pattern in every if not pattern.endswith(b"/"))
        try:
            self._folders = re.compile(b"|".join(map(_expression, every)), flags)
            self._files = re.compile(b"|".join(map(_expression, of_files)), flags)
        except re.error as error:  # [z-a]
            raise ValueError(f"it is no pattern ({error})") from error

    def file(self, path: bytes) -> bool:
        """Whether a file is excluded, itself alone."""
        return bool(self._files.pattern) and self._files.fullmatch(path) is not None

    def folder(self, path: bytes) -> bool:
        """Whether a folder is excluded, itself alone."""
        return bool(self._folders.pattern) and self._folders.fullmatch(path) is not None


def _expression(pattern: bytes) -> bytes:
    """A pattern as a regular expression over whole relative paths."""
    bare = pattern.rstrip(b"/")
    if not bare or b"\0" in bare:
        raise ValueError("a pattern needs a name in it")
    anywhere = b"" if b"/" in bare else b"(?:.*/)?"
    return b"(?:" + anywhere + _TOKEN.sub(_translated, bare.lstrip(b"/")) + b")"


def _translated(token: re.Match[bytes]) -> bytes:
    text = token[0]
    if text == b"**/":
        return b"(?:[^/]+/)*"
    if text == b"**" and token.end() == len(token.string):
        return b".+"
    if text.startswith(b"*"):
        return b"[^/]*"
    if text == b"?":
        return b"[^/]"
    if len(text) > 1:
        negated = text[1:2] in b"!^"
        letters = text[2:-1] if negated else text[1:-1]
        letters = re.sub(rb"[\\\[\]^&~|]", rb"\\\g<0>", letters)
        return (b"[^/" if negated else b"[") + letters + b"]"
    return re.escape(text)
