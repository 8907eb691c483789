"""What the search bar suggests: completed text, ranked names, and options for the list."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from library.choices import Choices, choices
from library.database import Database
from library.filters import Trait
from search.completion import typed_at
from search.parser import parse
from tests.conftest import CrawlFolders
from tests.pictures import fill
from tests.web_fixtures import client, own_library
from web.suggest import suggestions

__all__ = ["client", "own_library"]

OFFERED = Choices(
    cameras=(("Canon EOS 5D", 9), ("Lange Kamera", 1)),
    types=(("jpeg", 9), ("gif", 2), ("video", 1)),
    first_year=None,
    last_year=None,
    folders=("2019 Summer holiday", "Land's end", "landscapes", "old-land", "Österreich", "Summer"),
    places=(),
)


def suggested(marked: str) -> list[str]:
    """What is suggested for a text in which | is the cursor, with the cursor behind it."""
    at = marked.index("|")
    found = suggestions(typed_at(marked.replace("|", ""), at), OFFERED)
    return [f"{one.text[: one.cursor]}|{one.text[one.cursor :]}" for one in found]


@pytest.mark.parametrize(
    ("marked", "completed"),
    [
        ("gi|", ["type:gif |"]),
        ("a dog gi|", ["a dog type:gif |"]),
        ("dog gi| -snow", ["dog type:gif |-snow"]),
        ("dog ca|n 2:cat", ['dog camera:"Canon EOS 5D" |2:cat']),
        ("eos|", ['camera:"Canon EOS 5D" |']),
        ("dog -type:v|", ["dog -type:video |"]),
        ("TYPE:J|", ["type:jpeg |"]),
        ("folder:öst|", ["folder:Österreich |"]),
        ("folder:o\N{COMBINING DIAERESIS}st|", ["folder:Österreich |"]),
        ('folder:"2019 sum|" x', ['folder:"2019 Summer holiday" |x']),
        ('folder:"2019 su|', ['folder:"2019 Summer holiday" |']),
        ("folder:“2019 su|", ['folder:"2019 Summer holiday" |']),
        ("su|", ["folder:Summer |", 'folder:"2019 Summer holiday" |']),
        ("lan|", ["folder:\"Land's end\" |", "folder:landscapes |", 'camera:"Lange Kamera" |',
                  "folder:old-land |"]),
        ("type:|", ["type:jpeg |", "type:gif |", "type:video |"]),
        ("g|", []),
        ("gif |", []),
        ("|gif", []),
        ("before:20|", []),
        ("2:gi|", []),
        ("|", []),
    ],
)  # fmt: skip
def test_what_is_typed_is_completed(marked: str, completed: list[str]) -> None:
    assert suggested(marked) == completed


def test_every_suggestion_is_a_query_that_asks_for_it() -> None:
    names = ('a "b" c', "#1", "-x", "a:b", "2:dog", "ㄱ 사진")
    offered = Choices((), (), None, None, names, ())
    found = suggestions(typed_at("folder:", 7), offered)
    asked = [parse(one.text).filters.traits for one in found]
    assert asked == [(Trait("folder", name),) for name in names]


def test_at_most_eight() -> None:
    offered = Choices((), (), None, None, tuple(f"day {number}" for number in range(30)), ())
    assert len(suggestions(typed_at("day", 3), offered)) == 8


def test_folders_that_have_pictures_are_offered(
    crawl: CrawlFolders, database: Database, tmp_path: Path
) -> None:
    for folder in ("photos/2019/the sea", "photos/gone", "photos/no\nname"):
        fill(tmp_path / folder, 1)
    (tmp_path / "photos" / "empty").mkdir()
    os.makedirs(os.fsencode(tmp_path) + b"/photos/\xff")
    crawl(tmp_path / "photos")
    for picture in (tmp_path / "photos" / "gone").iterdir():
        picture.unlink()
    crawl(tmp_path / "photos")
    assert choices(database.connection).folders == ("2019", "photos", "the sea")


def test_options_for_the_list(client: FlaskClient) -> None:
    answer = client.get("/suggest", query_string={"q": "dog folder:land - snow", "at": "15"})
    assert answer.status_code == 200
    options = re.findall(r"<li[^>]*role=\"option\"[^>]*>", answer.get_data(as_text=True))
    assert len(options) == 1
    assert 'data-text="dog folder:landscapes - snow" data-cursor="22"' in unescape(options[0])


@pytest.mark.parametrize("asked", ["", "?q=%00", "?q=dog&at=x", "?q=dog&at=-5", "?q=gif&at=99999"])
def test_any_question_has_an_answer(client: FlaskClient, asked: str) -> None:
    assert client.get(f"/suggest{asked}").status_code == 200
