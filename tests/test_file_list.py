"""The msgpack file list: whole or not at all."""

from __future__ import annotations

from pathlib import Path

import msgpack
import pytest

from crawler.file_list import Asked, FileList, FileListHeader, FileListWriter
from library.errors import FileListError
from library.models import FileEntry

FOLDERS: dict[bytes, list[FileEntry]] = {
    b"/p": [
        (b"/p/a.jpg", 10, 1_600_000_000_123_456_789),
        (b"/p/\xff\xfe not utf-8 \n'\".png", 2**40, 0),
    ],
    b"/p/many": [(b"/p/many/%d.jpg" % number, number, number) for number in range(70_000)],
    b"/p/sub": [(b"/p/sub/" + b"n" * 251 + b".jpg", 1, -1)],
}
EVERY = [entry for entries in FOLDERS.values() for entry in entries]
ASKED = Asked((b"/p", b"/q"), excludes=(b"*.gif", b"\xff"), rehash=True)
HEADER = FileListHeader(ASKED, (b"/p",), (b"/p/locked",), {"videos": 3}, 12.5)


def write(path: Path, folders: dict[bytes, list[FileEntry]] = FOLDERS) -> FileList:
    with FileListWriter(path) as writer:
        for folder, entries in folders.items():
            writer.write(folder, entries)
        writer.finish(HEADER)
    return FileList(path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    found = FileList(path)
    assert (found.header, found.count) == (HEADER, len(EVERY))
    assert list(found.entries(set(FOLDERS))) == EVERY
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_a_header_and_one_record_a_file(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    with path.open("rb") as stream:
        header, *records = msgpack.Unpacker(stream)
    assert (header["version"], header["started"]) == (2, 12.5)
    assert (header["roots"], header["count"]) == ([b"/p", b"/q"], len(EVERY))
    assert records == [list(entry) for entry in EVERY]


def test_some_folders_are_read_without_the_others(tmp_path: Path) -> None:
    found = write(tmp_path / "filelist.msgpack")
    some = list(found.entries({b"/p", b"/p/sub", b"/elsewhere"}))
    assert some == FOLDERS[b"/p"] + FOLDERS[b"/p/sub"]


def test_a_digest_tells_a_folders_records_from_any_others(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    first = write(path).digests
    changed = {**FOLDERS, b"/p/sub": [(FOLDERS[b"/p/sub"][0][0], 1, 0)], b"/p/empty": []}
    second = write(path, changed).digests
    assert {folder for folder in FOLDERS if first[folder] != second[folder]} == {b"/p/sub"}
    assert second[b"/p/empty"] == b""
    assert b"" not in first.values()


def test_a_list_that_was_not_finished_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    with pytest.raises(RuntimeError), FileListWriter(path) as writer:
        writer.write(b"/p", FOLDERS[b"/p"])
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_an_older_list_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    with FileListWriter(path) as writer:
        writer.write(b"/p", FOLDERS[b"/p"])
    assert FileList(path).count == len(EVERY)


def test_a_list_that_was_cut_off_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "filelist.msgpack"
    write(path)
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(FileListError, match="cut off"):
        FileList(path)


@pytest.mark.parametrize("content", [None, b"", b"\xc1", b"hello", b"\x81\xa7version\x63"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "filelist.msgpack"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileListError, match=r"filelist\.msgpack"):
        FileList(path)
