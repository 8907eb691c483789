"""Which folders can be chosen on the page, and what is shown of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from flask.testing import FlaskClient

from library.settings import ROOT, load_settings
from tests.pictures import fill
from tests.web_fixtures import opened, settings_of
from web import places
from web.places import MOST_FOLDERS, PlaceError


@pytest.fixture(scope="module")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one site for all: nothing here reads a picture into it to its end."""
    with opened(settings_of(tmp_path_factory.mktemp("places"), "24")) as app:
        yield app.test_client()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with pictures in it, links out of it, and something hidden."""
    home = tmp_path / "home"
    fill(home / "Pictures" / "Trip", 2)
    fill(home / "Pictures", 3)
    (home / "Pictures" / "notes.txt").touch()
    fill(home / ".secret" / "inner", 1)
    fill(tmp_path / "elsewhere" / "inner", 1)
    (home / "out").symlink_to(tmp_path / "elsewhere")
    (home / "all").symlink_to("/")
    (home / "within").symlink_to(home / "Pictures")
    (home / "loop").symlink_to(home / "loop")
    (home / "file.jpg").touch()
    monkeypatch.setenv("HOME", str(home))
    return home


def allowed(*roots: Path) -> tuple[places.Place, ...]:
    return places.places(load_settings({}), map(os.fsencode, roots))


OUT_OF_REACH = [
    "{home}/..",
    "{home}/../elsewhere",
    "{home}/Pictures/../../elsewhere/inner",
    "{home}/out",
    "{home}/out/inner",
    "{home}/all",
    "{home}/all/etc",
    "{home}/within/../../elsewhere",
    "{home}/.secret",
    "{home}/.secret/inner",
    "{home}2",
    "{home}/loop",
    "{home}/no such folder",
    "{home}/file.jpg",
    "{home}/Pictures\0",
    "{home}/Pictures\0/../../elsewhere",
    "/",
    "//",
    "/etc",
    "/proc/self/cwd",
    "/proc/self/root",
    "home",
    "../elsewhere",
    "~root",
    "",
    "." * 5000,
    "/" + "a/" * 3000,
]


@pytest.mark.parametrize("asked", OUT_OF_REACH, ids=lambda text: text[:40].replace("\0", "NUL"))
def test_what_is_out_of_reach_is_refused_with_a_sentence(
    empty_client: FlaskClient, home: Path, asked: str
) -> None:
    path = os.fsencode(asked.format(home=home))
    with pytest.raises(PlaceError):
        places.chosen(path, allowed())
    looked = empty_client.get(f"/folders/choose?at={quote_from_bytes(path)}")
    started = empty_client.post("/crawls", data={"folder": path.decode()})
    by_address = empty_client.post(f"/crawls?at={quote_from_bytes(path)}")
    asked_api = empty_client.post("/api/v1/crawls", json={"folder": path.decode()})
    for answer in (started, by_address, asked_api, looked) if asked else (started, asked_api):
        assert answer.status_code in (400, 403, 404)
        assert b"elsewhere/inner/" not in answer.data
    assert empty_client.get("/api/v1/status").get_json()["crawl"] is None
    assert 'role="alert"' in started.text


@pytest.mark.parametrize("encoded", ["%2e%2e", "%2E%2E%2F%2e%2e", "..%2f..", "%252e%252e"])
def test_no_spelling_of_dots_leads_out(empty_client: FlaskClient, home: Path, encoded: str) -> None:
    answer = empty_client.get(f"/folders/choose?at={home}/{encoded}")
    assert answer.status_code in (403, 404)


def test_links_that_stay_within_are_followed_to_what_they_name(home: Path) -> None:
    assert places.chosen(os.fsencode(home / "within"), allowed()) == os.fsencode(home / "Pictures")
    assert places.chosen(b"~/Pictures/", allowed()) == os.fsencode(home / "Pictures")


def test_a_folder_shows_its_folders_and_counts_its_pictures(home: Path) -> None:
    top = places.look(os.fsencode(home), allowed())
    assert [os.path.basename(path) for path in top.folders] == [b"Pictures", b"within"]
    assert top.pictures == 1
    inner = places.look(os.fsencode(home / "Pictures"), allowed())
    assert ([os.path.basename(path) for path in inner.folders], inner.pictures) == ([b"Trip"], 3)


def test_the_samples_and_the_folders_of_the_library_can_be_chosen(home: Path) -> None:
    elsewhere = home.parent / "elsewhere"
    known = allowed(elsewhere, Path("/"))
    assert [place.kind for place in known if place.path.startswith(os.fsencode(home.parent))] == [
        "pictures",
        "home",
        "library",
    ]
    assert places.chosen(os.fsencode(elsewhere / "inner"), known)
    assert places.chosen(os.fsencode(home / "out"), known) == os.fsencode(elsewhere)
    assert places.chosen(os.fsencode(ROOT / "samples"), known)
    with pytest.raises(PlaceError):  # a whole machine is no place, be it known
        places.chosen(b"/etc", known)


def test_the_page_walks_through_names_that_are_not_utf8(
    empty_client: FlaskClient, home: Path
) -> None:
    try:
        os.makedirs(os.fsencode(home) + b"/Pictures/caf\xe9/a & <b>")
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")
    page = unescape(empty_client.get(f"/folders/choose?at={home}/Pictures").text)
    assert "caf\ufffd" in page
    inner = empty_client.get(f"/folders/choose?at={home}/Pictures/caf%E9")
    assert "a &amp; &lt;b&gt;" in inner.text
    assert f"/crawls?at={home}/Pictures/caf%E9" in inner.text
    answer = empty_client.post(
        f"/crawls?at={home}/Pictures/caf%E9", data={"folder": f"{home}/Pictures/caf\ufffd"}
    )
    assert answer.status_code == 303


def test_a_folder_that_cannot_be_looked_into_says_so(home: Path) -> None:
    assert places.look(os.fsencode(home / "gone"), allowed()).unreadable


def test_of_very_many_folders_a_part_is_shown(home: Path) -> None:
    for number in range(MOST_FOLDERS + 3):
        (home / "Pictures" / "Trip" / f"{number}").mkdir()
    found = places.look(os.fsencode(home / "Pictures" / "Trip"), allowed())
    assert (len(found.folders), found.more) == (MOST_FOLDERS, 3)


def test_other_machines_neither_look_nor_start(empty_client: FlaskClient, home: Path) -> None:
    far = {"REMOTE_ADDR": "192.168.1.20"}
    for url in ("/crawls", "/crawls/again", "/crawls/1/stop", "/crawls/1/go-on", "/library/index"):
        assert empty_client.post(url, environ_base=far).status_code == 403
    api = empty_client.post(
        "/api/v1/crawls", json={"folder": str(home / "Pictures")}, environ_base=far
    )
    assert api.status_code == 403
    assert empty_client.get("/folders/choose", environ_base=far).status_code == 403
    invitation = empty_client.get("/", environ_base=far)
    assert invitation.status_code == 200
    assert str(home) not in invitation.text
