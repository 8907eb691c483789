"""The index damaged behind everybody's back: found, put aside, made again, and nobody notices."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from library import spaces
from library.database import Database
from library.index_files import IndexFiles
from reliability.owners import Place, ask, command_line
from tests.indexes import DIM, add, all_held, opened
from tests.pictures import fill
from tests.program import program
from tests.web_fixtures import wait_until

PICTURES = 120  # above Chroma's threshold of 100: there are files of the graph


def graph(index: Path) -> list[Path]:
    found = [path for path in index.glob("*/*") if path.stat().st_size]
    assert found
    return found


def truncate(index: Path) -> None:
    for path in graph(index):
        os.truncate(path, path.stat().st_size // 2)


def garble(index: Path) -> None:
    for path in graph(index):
        path.write_bytes(b"garbage " * (path.stat().st_size // 8))


def lose_the_graph(index: Path) -> None:
    for path in graph(index):
        path.unlink()


def truncate_database(index: Path) -> None:
    os.truncate(index / "chroma.sqlite3", 5_000)


def overwrite(index: Path) -> None:
    """In place, as whoever writes into a file that another has open."""
    with (index / "chroma.sqlite3").open("r+b") as file:
        file.write(b"garbage " * 20_000)


def swell(index: Path) -> None:
    """As Chroma was seen to write it after a SIGKILL: 155 GB of links, nearly all a hole."""
    (links,) = index.glob("*/link_lists.bin")
    os.truncate(links, 155_000_000_000)


DAMAGES = [truncate, garble, lose_the_graph, truncate_database, overwrite, swell]


@pytest.mark.fault("index damaged while stopped")
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_index_that_was_damaged_while_nobody_had_it_open_is_made_again(
    damage: Callable[[Path], None], database: Database
) -> None:
    space = spaces.space(database.connection, "test@1/p1", DIM)
    matrix = add(database, space, PICTURES)
    with opened(database, space) as index:
        index.push()
    damage(database.path.parent / "chroma")
    with opened(database, space) as index:  # which would crash this process, were it not checked
        index.push()
        assert all(index.query(vector, 1)[0][1] > 0.999 for vector in matrix)
    assert len(all_held(database)) == PICTURES
    assert not list(database.path.parent.glob("chroma.damaged*"))


def test_a_graph_that_was_written_wrongly_is_not_believed(database: Database) -> None:
    """Neither by who closes it, nor by who finds it as a SIGKILL leaves it."""
    space = spaces.space(database.connection, "test@1/p1", DIM)
    add(database, space, PICTURES)
    files = IndexFiles(database.path.parent)
    with opened(database, space) as index:
        index.push()
        swell(files.directory)
    assert not files.were_closed()
    with opened(database, space) as index:
        assert index.was_damaged
        index.push()
    assert files.were_closed()
    (links,) = files.directory.glob("*/link_lists.bin")
    os.truncate(links, links.stat().st_size // 2)
    files.set_owner("a crawl that was killed")
    with opened(database, space) as index:
        assert index.was_damaged


@pytest.mark.fault("index damaged while running")
def test_an_index_that_is_damaged_under_the_running_site_is_made_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "photos", tmp_path / "data")
    with program("--data", str(place.data), **place.environment) as (process, address):
        pictures = 0
        for damage in (Path.exists, shutil.rmtree, overwrite):
            damage(place.data / "chroma")
            pictures += PICTURES
            fill(place.folder, pictures, size=(40, 30))
            with command_line(place) as crawl:
                crawl.end()
            wait_until(partial(is_right, address, pictures))
        assert process.poll() is None


def is_right(address: str, pictures: int) -> bool:
    """Whether the index holds everything by now; the site answers anyway."""
    assert ask(address, "/api/v1/search?q=a%20circle")["total"] == pictures
    index = ask(address, "/api/v1/status")["index"]
    return (index["state"], index["agrees"], index["holds"]) == ("current", True, pictures)
