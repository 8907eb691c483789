"""Two programs on one library: the second waits, or says who has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.owners import Place, Stage, ask, command_line
from tests.pictures import fill
from tests.program import program
from tests.web_fixtures import wait_until

PICTURES = 60


@pytest.fixture
def place(tmp_path: Path) -> Place:
    fill(tmp_path / "photos", PICTURES, size=(40, 30))
    return Place(tmp_path / "photos", tmp_path / "data")


@pytest.mark.fault("two programs on one library")
def test_a_second_crawl_says_which_process_is_at_work(place: Place) -> None:
    stage: Stage = "scan"
    with command_line(place) as first:
        wait_until(lambda: stage in first.stages())
        with command_line(place) as second:
            output, error = second.process.communicate(timeout=60)
        first.end()
    assert second.process.returncode == 1
    assert f"another crawl, process {first.process.pid}, is at work" in error
    assert "Traceback" not in error
    assert not output


@pytest.mark.fault("two programs on one library")
def test_beside_a_site_a_crawl_and_another_site_say_who_holds_the_index_and_take_turns(
    place: Place,
) -> None:
    at = ("--data", str(place.data))
    with program(*at, **place.environment) as (first, address):
        wait_until(lambda: index_of(address)["state"] == "current")
        with command_line(place) as crawl:
            _, error = crawl.process.communicate(timeout=60)
        assert crawl.process.returncode == 0
        holder = f"the site, process {first.pid}"
        assert f"Not indexed here: the index is held by {holder}" in error
        wait_until(lambda: index_of(address)["holds"] == PICTURES)
        with program(*at, **place.environment) as (_, other):
            wait_until(lambda: index_of(other)["state"] == "busy")
            assert index_of(other)["owner"] == holder
            assert ask(other, "/api/v1/search?q=a%20cat")["total"] == PICTURES
            first.terminate()
            assert first.wait(60) == 0
            wait_until(lambda: index_of(other)["state"] == "current")
            assert index_of(other)["holds"] == PICTURES


def index_of(address: str) -> dict[str, object]:
    found: dict[str, object] = ask(address, "/api/v1/status")["index"]
    return found
