"""The msgpack file list: whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.file_list import FileListHeader, FileListWriter, read_entries, read_header
from library.errors import FileListError
from library.models import FileEntry

ENTRIES = [
    FileEntry(b"/p/a.jpg", 10, 1_600_000_000_123_456_789),
    FileEntry(b"/p/\xff\xfe not utf-8 \n'\".png", 2**40, 0),
    FileEntry(b"/p/" + b"n" * 251 + b".jpg", 1, -1),
]
HEADER = FileListHeader((b"/p", b"/q"), (b"/p",), (b"/p/locked",), 12.5, len(ENTRIES))


def write(path: Path) -> None:
    with FileListWriter(path) as writer:
        for entry in ENTRIES:
            writer.write(entry)
        writer.finish(HEADER)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    assert read_header(path) == HEADER
    assert list(read_entries(path)) == ENTRIES
    assert list(tmp_path.iterdir()) == [path]


def test_a_list_that_was_not_finished_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    with pytest.raises(RuntimeError), FileListWriter(path) as writer:
        writer.write(ENTRIES[0])
        raise RuntimeError
    assert read_header(path) is None
    assert not list(tmp_path.iterdir())


def test_an_older_list_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    with FileListWriter(path) as writer:
        writer.write(ENTRIES[0])
    assert list(read_entries(path)) == ENTRIES


def test_a_list_that_was_cut_off_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(FileListError, match="cut off"):
        list(read_entries(path))


@pytest.mark.parametrize("content", [b"", b"\xc1", b"hello", b"\x81\xa7version\x63"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "filelist.msgpack"
    path.write_bytes(content)
    with pytest.raises(FileListError, match=r"filelist\.msgpack"):
        read_header(path)
