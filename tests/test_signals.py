"""SIGTERM and Ctrl-C: the batch in hand is finished, and everything closed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reliability.kills import OWNERS
from reliability.owners import Place, Running, Stage, command_line
from reliability.sameness import contents
from tests.pictures import fill
from tests.web_fixtures import wait_until

PICTURES = 120
Told = Callable[[str, object], None]


def ended(running: Running, number: signal.Signals, told: Told) -> str:
    """Have a program end; gives what it said. make reliability prints how long it took."""
    started = time.monotonic()
    running.process.send_signal(number)
    output, _ = running.process.communicate(timeout=60)
    told("seconds", time.monotonic() - started)
    return output


@pytest.mark.fault("SIGTERM and Ctrl-C")
@pytest.mark.parametrize(
    ("owner", "number"),
    [
        ("the command line", signal.SIGINT),
        ("the command line", signal.SIGTERM),
        ("the site", signal.SIGINT),
    ],
)
def test_asked_to_end_in_mid_crawl_it_keeps_what_it_has_and_closes_the_index(
    owner: str, number: signal.Signals, tmp_path: Path, record_property: Told
) -> None:
    place = Place(tmp_path / "photos", tmp_path / "data")
    fill(place.folder, PICTURES)
    with OWNERS[owner](place) as running:
        stage: Stage = "encode"
        wait_until(lambda: stage in running.stages())
        output = ended(running, number, record_property)
    done = len(contents(place.data).vectors)
    assert 0 < done < PICTURES
    if owner == "the command line":
        assert running.process.returncode == 130
        assert json.loads(output)["encoded"] == done
    else:
        assert running.process.returncode == 130
    assert not (place.data / "crawl.open").exists()
    assert not (place.data / "chroma.open").exists()
    assert not list(place.data.glob("thumbnails/*/*[!g]"))
    with command_line(place) as running:
        running.end()
    assert len(contents(place.data).vectors) == PICTURES


@pytest.mark.fault("SIGTERM and Ctrl-C")
def test_asked_to_end_while_the_index_is_made_again_the_site_closes_it(
    tmp_path: Path, record_property: Told
) -> None:
    place = Place(tmp_path / "photos", tmp_path / "data")
    fill(place.folder, 30)
    with command_line(place) as running:
        running.end()
    with OWNERS["the site"](place, reads=False) as running:
        wait_until(lambda: (place.data / "chroma.open").exists())
        ended(running, signal.SIGTERM, record_property)
    assert running.process.returncode == 0
    assert (place.data / "chroma.closed").exists()
    assert not (place.data / "chroma.open").exists()
