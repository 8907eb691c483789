"""The search bar as HTML: chips, filter controls, and where a mistake is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from library.database import Database
from tests.web_fixtures import Library, opened, own_library

__all__ = ["own_library"]


@pytest.fixture(scope="module")
def client(shared_library: Library) -> Iterator[FlaskClient]:
    """One site for all: nothing here changes anything."""
    with opened(shared_library.settings) as app:
        yield app.test_client()


def get(client: FlaskClient, text: str, status: int = 200, **arguments: str) -> str:
    answer = client.get("/search", query_string={"q": text, **arguments})
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def field(page: str) -> str:
    found = re.search(r'<input id="q"[^>]* value="([^"]*)"', page)
    assert found
    return unescape(found[1])


def hidden(page: str) -> str:
    found = re.search(r'name="terms" value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def chips(page: str) -> list[str]:
    return re.findall(r'<li class="(chip.*?)</li>', page, re.DOTALL)


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def query_of(url: str) -> str:
    (query,) = parse_qs(urlsplit(unescape(url)).query)["q"]
    return query


def link(chip: str, name: str) -> str:
    found = re.search(rf'class="chip-{name}[^"]*" href="([^"]*)"', chip)
    assert found, chip
    return query_of(found[1])


def test_words_stand_in_the_field_and_need_no_chip(client: FlaskClient) -> None:
    page = get(client, "  golden retriever")
    assert field(page) == "golden retriever"
    assert chips(page) == []
    assert hidden(page) == ""


def test_terms_are_chips_that_can_be_changed(client: FlaskClient, shared_library: Library) -> None:
    beagle = shared_library.ids()["beagle.png"]
    page = get(client, f"dog + 2:#{beagle} - snow - 3:cat")
    assert field(page) == "dog"
    assert hidden(page) == f"+ 2:#{beagle} - snow - 3:cat"
    picture, snow, cat = chips(page)
    assert f'src="/pictures/{beagle}/thumb?v=' in picture
    assert "beagle.png" in text(picture)
    assert "chip-negative" not in picture
    assert "chip-negative" in snow
    assert "not snow" in text(snow)
    assert link(picture, "away") == "dog - snow - 3:cat"
    assert link(picture, "what") == f"dog - 2:#{beagle} - snow - 3:cat"
    assert link(picture, "weight") == f"dog + 3:#{beagle} - snow - 3:cat"
    assert link(snow, "what") == f"dog + 2:#{beagle} + snow - 3:cat"
    assert link(snow, "weight") == f"dog + 2:#{beagle} - 2:snow - 3:cat"
    assert link(cat, "weight") == f"dog + 2:#{beagle} - snow - 0.5:cat"


def test_chips_keep_what_refines_the_search(client: FlaskClient) -> None:
    (snow,) = chips(get(client, "dog - snow", more="4", less="5"))
    urls = re.findall(r'href="([^"]*)"', snow)
    assert len(urls) == 3
    for url in urls:
        arguments = parse_qs(urlsplit(unescape(url)).query)
        assert (arguments["more"], arguments["less"]) == (["4"], ["5"])


def test_the_last_chip_leads_home(client: FlaskClient) -> None:
    (chip,) = chips(get(client, "2:dog"))
    assert 'class="chip-away" href="/"' in chip


def test_filters_without_a_control_are_chips(client: FlaskClient) -> None:
    page = get(client, 'dog "img" "png" -type:gif folder:"a b" folder:c')
    png, gif, folder = chips(page)
    assert "chip-weight" not in png
    assert link(png, "away") == 'dog "img" -type:gif folder:"a b" folder:c'
    assert link(gif, "away") == 'dog "img" "png" folder:"a b" folder:c'
    assert link(gif, "what") == 'dog "img" "png" type:gif folder:"a b" folder:c'
    assert "chip-negative" in gif
    assert "png" in text(png)
    assert "folder c" in text(folder)
    assert hidden(page) == '"png" -type:gif folder:c'


def test_controls_show_the_filters_and_what_there_is(client: FlaskClient) -> None:
    page = get(
        client, 'dog after:2001-05 before:2019 type:png size:<0.7mp camera:xyz folder:x "img"'
    )
    assert chips(page) == []
    assert 'name="taken_after" value="2001-05"' in page
    assert 'name="taken_before" value="2019"' in page
    assert '<option value="png" selected>PNG (' in page
    assert '<option value="jpeg">JPEG (' in page
    assert '<option value="&lt;0.7mp" selected>&lt;0.7mp<' in page
    assert '<option value="xyz" selected>xyz<' in page
    assert 'name="folder" value="x"' in page
    assert 'name="name" value="img"' in page
    assert 'name="near"' not in page  # no picture here says where it was taken
    assert re.search(r'id="filters"[^>]* checked>', page)
    assert not re.search(r'id="filters"[^>]* checked>', get(client, "dog"))


@pytest.mark.parametrize(
    ("arguments", "canonical"),
    [
        (
            {"q": "dog", "camera": "Canon EOS", "type": "", "taken_after": ""},
            'dog camera:"Canon EOS"',
        ),
        ({"q": "dog", "terms": "+ 2:#41 - snow"}, "dog + 2:#41 - snow"),
        ({"q": "", "terms": "+ #41 -type:gif"}, "#41 -type:gif"),
        ({"q": "-cat", "terms": "- snow"}, "- cat - snow"),
        (
            {"q": " ", "taken_after": "2017-06", "taken_before": " 2019 "},
            "after:2017-06 before:2019",
        ),
        ({"q": "dog", "size": ">2mp <8mp", "name": 'a "b'}, 'dog size:>2mp size:<8mp "a ""b"'),
        ({"q": "dog type:png", "type": "gif"}, "dog type:png type:gif"),
        (
            {"q": "", "folder": "Summer 2019", "near": "48.1,11.6,10km"},
            'near:48.1,11.6,10km folder:"Summer 2019"',
        ),
    ],
)
def test_the_form_becomes_one_query(
    client: FlaskClient, arguments: dict[str, str], canonical: str
) -> None:
    answer = client.get("/search", query_string=arguments)
    assert answer.status_code == 302
    assert query_of(answer.headers["Location"]) == canonical
    assert client.get(answer.headers["Location"]).status_code == 200


def test_a_place_is_chosen_from_those_of_the_library(own_library: Library) -> None:
    with closing(Database(own_library.settings.database_path)) as database:
        set_place = "UPDATE images SET latitude = ?, longitude = ? WHERE id "
        database.connection.execute(f"{set_place} < 4", (48.14, -11.58))
        database.connection.execute(f"{set_place} = 4", (-0.04, 0.04))
    with opened(own_library.settings) as app:
        page = get(app.test_client(), "dog near:48.1,-11.5,5km")
        offered = re.findall(r'<option value="([^"]*km)"( selected)?>([^<]*)<', page)
        assert offered == [
            ("48.1,-11.5,5km", " selected", "5 km around 48.1, -11.5"),
            ("48.1,-11.6,10km", "", "48.1° N, 11.6° W (3)"),
            ("0,0,10km", "", "0.0° N, 0.0° E (1)"),
        ]
        assert chips(page) == []
        found = get(app.test_client(), "near:48.1,-11.6,10km")
        assert len(re.findall('class="tile', found)) == 3


def test_sending_the_page_as_it_is_changes_nothing(client: FlaskClient) -> None:
    query = 'dog + 2:#4 - snow after:2001 size:>0.1mp near:0,0,9km "a" -"b" type:png folder:x'
    page = get(client, query)
    fields = dict(re.findall(r'name="(taken_\w+|folder|name)" value="([^"]*)"', page))
    chosen = re.findall(r'<select form="search" name="(\w+)".*?</select>', page, re.DOTALL)
    for name in chosen:
        menu = page.split(f'name="{name}"')[1].split("</select>")[0]
        found = re.search(r'value="([^"]*)" selected', menu)
        fields[name] = found[1] if found else ""
    sent = {name: unescape(value) for name, value in fields.items()}
    answer = client.get("/search", query_string={"q": field(page), "terms": hidden(page), **sent})
    again = query_of(answer.headers["Location"])
    assert sorted(again.split()) == sorted(query.split())


def test_an_empty_form_leads_home(client: FlaskClient) -> None:
    answer = client.get("/search?q=&terms=&taken_after=&camera=")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_mistake_is_pointed_at_and_kept_in_the_field(client: FlaskClient) -> None:
    page = get(client, "dog <b> before:20x9 -cat", 400)
    assert field(page) == "dog <b> before:20x9 -cat"
    assert "dog &lt;b&gt; before:<mark>20x9</mark> -cat" in page
    assert "is not a date" in page
    assert "How to say it" in page


def test_a_mistake_in_a_control_is_pointed_at(client: FlaskClient) -> None:
    page = get(client, "dog", 400, taken_after="last year", terms="- snow")
    assert "<mark>&#34;last year&#34;</mark>" in page
    assert field(page) == 'dog - snow after:"last year"'


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("x" * 10_000, "1,000 characters"),
        ("+", "missing"),
        ("a\0b", "cannot be read"),
        ("#99999999999999999999", "no picture"),
    ],
)
def test_mistakes_are_400_everywhere(client: FlaskClient, query: str, says: str) -> None:
    assert says in get(client, query, 400)
    answer = client.get("/api/v1/search", query_string={"q": query})
    assert answer.status_code == 400
    assert answer.json is not None
    error = answer.json["error"]
    assert error["code"] == "bad_query"
    assert says in error["message"]
    assert 0 <= error["start"] < error["end"] <= len(query)


def test_every_example_of_the_language_is_a_query(client: FlaskClient) -> None:
    page = get(client, "+", 400)
    examples = re.findall(r'<dt><a href="([^"]*)"', page)
    assert len(examples) == 7
    for example in examples:
        answer = client.get(unescape(example))
        assert answer.status_code == 200 or "#41" in query_of(example)


def test_pages_with_chips_keep_to_the_content_security_policy(client: FlaskClient) -> None:
    for page in (get(client, "dog + #4 - snow type:png -type:gif"), get(client, "+", 400)):
        assert not re.search(r'\sstyle="|<style|\son[a-z]+="|javascript:', page)
