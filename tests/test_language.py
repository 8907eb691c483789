"""The interface in the browser's language: whole pages in Korean, and catalogues that are whole."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo
from flask.testing import FlaskClient

from tests.web_fixtures import Library, client, empty_client, opened
from tools import locales
from web import site, units
from web.language import SOURCE, languages
from web.said import said

__all__ = ["client", "empty_client"]

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"}
PAGES = (
    "/",
    "/search?q=dog",
    "/search?q=2:dog+-+%234+type:jpeg+-camera:canon+near:48.1,11.5,5km+folder:photos",
    "/search?q=dog&more=3&less=4",
    "/search?q=type:gif+camera:nobody",
    "/search?q=dog&from=-0.9_1_500",
    "/search?q=xqzvwkpt",
    "/search?q=before:20x9",
    "/search?q=%22dog",
    "/search?q=cmera:canon",
    "/pictures/4?trail=1,2,3",
    "/folders/2",
    "/folders/2?page=9",
    "/folders/choose",
    "/duplicates",
    "/styles",
    "/styles?q=dog",
    "/maps/1",
    "/maps/1/clusters/1",
    "/maps/1/clusters/9",
    "/collections/1",
    "/items/1",
    "/library",
    "/library/failures",
    "/crawls/1",
    "/suggest?q=jp",
    "/offline",
    "/nowhere",
    "/pictures/999999",
    "/crawls/999",
)
ASKED = {
    "ko": "ko",
    "ko-KR": "ko",
    "ko-KR,ko;q=0.9,en;q=0.8": "ko",
    "ko-KR,en;q=0.8": "ko",
    "KO-kr": "ko",
    "de,ko;q=0.5": "ko",
    "en-GB,ko;q=0.5": "en",
    "en;q=0.5,ko;q=0.9": "ko",
    "tlh": "en",
    "*": "en",
    "ko;q=zero;;,": "en",
    "../../etc": "en",
    "": "en",
}
"""What a browser may ask for, and what it gets."""
READ = ("title", "aria-label", "placeholder", "data-copied")
NOT_READ = ("script", "style", "code", "kbd")
# What stands in every language as it is: of queries and commands, the runtime's name.
NAMES = re.compile(
    r"ONNX Runtime on the CPU|python -m crawler|golden retriever|^Kindred$|-?\w+:\S+"
)
WORDS = re.compile(r"\b[A-Za-z]?[a-z]{2,} [a-z]{2,}\b|^[A-Z][a-z]+$")
PLACEHOLDER = r"%\(\w+\)s"
SAID = (
    "damaged: the file ends before its picture does; copy it again from where it came from",
    "too large: 9 x 8 pixels take 7 MB of memory to decode; "
    "MAX_IMAGE_MEGAPIXELS=6 would read it (now 5)",
    "videos are read where av is installed: python -m pip install av",
    "A search has room for 30 filters.",
)
"""Sentences of the rooms below."""
LANGUAGES = [language for language in languages() if language != SOURCE]


class Reader(HTMLParser):
    """Collects what people read of a page, or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.said += [value.strip() for name, value in attrs if name in READ and value]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass  # <meta>, <input> and the like have no end

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(tag in NOT_READ for tag in self._open):
            self.said.append(" ".join(data.split()))


def read(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.said


def forms(text: object) -> tuple[str, ...]:
    """A text's forms: one, or as many as its language has for numbers."""
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text),)


def placeholders(*texts: str) -> set[str]:
    """What a text leaves open, and the addresses in it."""
    kept = re.compile(rf"{PLACEHOLDER}|https?://\w*")
    return {found for text in texts for found in kept.findall(text)}


def messages(catalog: Catalog) -> dict[tuple[str, ...], Message]:
    """A catalogue's messages by their English forms; its head is none."""
    return {forms(message.id): message for message in catalog if message.id}


@cache
def english() -> frozenset[str]:
    """Every text as it stands in English."""
    return frozenset(text for texts in messages(locales.texts()) for text in texts)


def leftovers(page: str) -> list[str]:
    """What of a page is English still."""
    said = read(page)
    return [text for text in said if text in english() or WORDS.search(NAMES.sub("", text))]


def test_every_page_is_in_korean_wholly(client: FlaskClient) -> None:
    site.of(client.application).duplicates.refresh()
    for url in PAGES:
        answer = client.get(url, headers=KOREAN)
        assert answer.mimetype == "text/html"
        assert leftovers(answer.text) == [], url
        assert re.search("[가-힣]", answer.text), url
        assert url.startswith("/suggest") or '<html lang="ko"' in answer.text


def test_an_empty_library_is_in_korean_wholly(empty_client: FlaskClient) -> None:
    for url in ("/", "/search?q=dog", "/duplicates", "/library"):
        assert leftovers(empty_client.get(url, headers=KOREAN).text) == [], url


def test_the_page_of_the_password_is_in_korean(shared_library: Library) -> None:
    with opened(replace(shared_library.settings, auth_token="a long password")) as app:
        stranger = app.test_client()
        for answer in (
            stranger.get("/enter", headers=KOREAN),
            stranger.post("/enter", headers=KOREAN, data={"password": "wrong"}),
            stranger.post("/enter", headers=KOREAN, data={"password": "too fast"}),
        ):
            assert leftovers(answer.text) == []
            assert "비밀번호" in answer.text


def test_the_browser_decides(client: FlaskClient) -> None:
    for asked, given in ASKED.items():
        answer = client.get("/", headers={"Accept-Language": asked})
        assert f'<html lang="{given}"' in answer.text, asked
        assert ("Duplicates" in answer.text) == (given == "en"), asked


def test_who_keeps_a_page_keeps_it_for_its_language(client: FlaskClient) -> None:
    part = client.get("/crawls/1", headers={**KOREAN, "HX-Request": "true"})
    assert "중복" not in part.text and "완료" in part.text  # the part alone
    for answer in (part, client.get("/"), client.get("/nowhere")):
        assert "Accept-Language" in answer.headers["Vary"]
    assert "Vary" not in client.get("/pictures/1/thumb").headers


def test_dates_and_units_are_as_the_language_has_them(client: FlaskClient) -> None:
    with client.application.test_request_context(headers=KOREAN):
        assert units.date("2019-07-31T18:02:05") == "2019년 7월 31일 18:02"
        assert units.duration(3700) == "1시간 1분"
        assert (units.file_size(842), units.number(12345.678, 1)) == ("842바이트", "12,345.7")
    with client.application.test_request_context():
        assert units.date("2019-07-31T18:02:05") == "31 July 2019, 18:02"
        assert units.date("2019-02-31T18:02:05") == "2019-02-31 18:02:05"
        assert units.duration(3700) == "1 h 1 min"
        assert (units.file_size(842), units.number(12345.678, 1)) == ("842 bytes", "12,345.7")


def test_the_api_is_in_english_for_everybody(client: FlaskClient) -> None:
    for url in ("/api/v1/pictures/999999", "/api/v1/search", "/api/v1/search?q=before:20x9"):
        assert client.get(url, headers=KOREAN).json == client.get(url).json


def test_refusals_are_in_the_language_too(client: FlaskClient) -> None:
    refused = (
        client.get("/", headers={**KOREAN, "Host": "evil.example"}),
        client.post("/search", headers=KOREAN),
        client.post("/theme", headers={**KOREAN, "Sec-Fetch-Site": "cross-site"}),
        client.post("/crawls", headers=KOREAN, data={"folder": "/etc"}),
        client.post("/crawls", headers=KOREAN, data={"folder": "nowhere"}),
        client.post("/search", headers=KOREAN, data={"image": (io.BytesIO(b"no picture"), "a")}),
    )
    for answer in refused:
        assert answer.status_code in (400, 403)
        assert leftovers(answer.text) == []


def test_what_other_rooms_say_is_translated(client: FlaskClient) -> None:
    with client.application.test_request_context(headers=KOREAN):
        for sentence in SAID:
            assert re.search("[가-힣]", said(sentence)), sentence
            assert re.findall(r"\d+", said(sentence)) == re.findall(r"\d+", sentence)
        assert said("what nobody has said yet") == "what nobody has said yet"
    with client.application.test_request_context():
        assert [said(sentence) for sentence in SAID] == list(SAID)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    there = locales.translations(language)
    assert set(messages(there)) == set(messages(locales.texts())), "run make locales"
    assert not there.obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    for text, message in messages(locales.translations(language)).items():
        assert not message.fuzzy and all(forms(message.string)), text
        for form in forms(message.string):
            assert placeholders(form) == placeholders(*text), text
            assert form.count("%") == len(re.findall(PLACEHOLDER, form)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_translated(language: str) -> None:
    with (locales.folder(language) / "messages.mo").open("rb") as file:
        compiled = messages(read_mo(file))
    translated = messages(locales.translations(language))
    assert {text: forms(one.string) for text, one in compiled.items()} == {
        text: forms(one.string) for text, one in translated.items()
    }
