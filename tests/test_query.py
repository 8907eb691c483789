"""The query language: what texts mean, what is wrong with them and where, and the way back."""

from __future__ import annotations

import random
from datetime import date

import pytest

from library.filters import Filters, Near, Trait
from search import query
from search.errors import QueryError
from search.parser import MOST_CHARACTERS, MOST_FILTERS, MOST_TERMS, parse
from search.query import PictureTerm, Query, Term, Words


def words(text: str, weight: float = 1.0) -> Words:
    return Words(text, weight)


def named(*texts: str) -> Filters:
    return Filters(traits=tuple(Trait("name", text) for text in texts))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("golden  retriever ", (words("golden retriever"),)),
        ("t-shirt black-and-white c++ 50% 5\" o'clock", None),
        (
            "2:golden retriever + #41 - snow",
            (words("golden retriever", 2), PictureTerm(41), words("snow", -1)),
        ),
        ("picture:41", (PictureTerm(41),)),
        ("Picture:041 #9223372036854775807", (PictureTerm(41), PictureTerm(2**63 - 1))),
        ("dog #41 park", (words("dog park"), PictureTerm(41))),
        ("-snow", (words("snow", -1),)),
        ("- snow park", (words("snow park", -1),)),
        ("dog -snow park", (words("dog park"), words("snow", -1))),
        ("dog\n+snow\tpark", (words("dog park"), words("snow"))),
        ("dog - snow park", (words("dog"), words("snow park", -1))),
        ("- 0.5:snow park", (words("snow park", -0.5),)),
        ("-2:#41 -#42", (PictureTerm(41, -2), PictureTerm(42, -1))),
        ("golden 2:retriever", (words("golden"), words("retriever", 2))),
        ("2: 35mm film", (words("35mm film", 2),)),
        ("12:30 16:9 http://x note: hello a:b :-)", None),
        ("2:12:30", None),
        ("한국 🐕 한국", None),
        ("golden camera:canon retriever", (words("golden retriever"),)),
        ("golden - camera:canon retriever", (words("golden"), words("retriever"))),
        ("", ()),
        (" \t\n", ()),
    ],
)
def test_terms(text: str, terms: tuple[Term, ...] | None) -> None:
    assert parse(text).terms == ((words(text),) if terms is None else terms)


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("before:2019", Filters(before=date(2019, 1, 1))),
        ("after:2017-6", Filters(after=date(2017, 6, 1))),
        (
            "BEFORE:2019-02-03 after:2017-12-31",
            Filters(before=date(2019, 2, 3), after=date(2017, 12, 31)),
        ),
        ("after:2017 after:2018 before:2030 before:2020", parse("after:2018 before:2020").filters),
        ("size:>2mp", Filters(least=2_000_001)),
        ("size:>=2MP size:<500kp", Filters(least=2_000_000, most=499_999)),
        ("size:<=2.3mp", Filters(most=2_300_000)),
        ("size:>1000px", Filters(least=1_001)),
        ("size:<0px", Filters(most=0)),
        ("near:48.1,11.5,5km", Filters(near=Near(48.1, 11.5, 5))),
        ('near:"-48.1, -11.5, 500 m"', Filters(near=Near(-48.1, -11.5, 0.5))),
        ("near:0,180,20", Filters(near=Near(0, 180, 20))),
        ('"IMG_20" “two words” "a""b"', named("IMG_20", "two words", 'a"b')),
        ("camera:canon", Filters(traits=(Trait("camera", "canon"),))),
        ('camera:"EOS 5D"', Filters(traits=(Trait("camera", "EOS 5D"),))),
        ("type:JPG", Filters(traits=(Trait("type", "jpeg"),))),
        ("folder:2019/may", Filters(traits=(Trait("folder", "2019/may"),))),
        (
            '-type:gif - "IMG" -folder:"x y"',
            Filters(
                traits=(
                    Trait("type", "gif", False),
                    Trait("name", "IMG", False),
                    Trait("folder", "x y", False),
                )
            ),
        ),
        ("type:gif type:gif", Filters(traits=(Trait("type", "gif"),))),
        ("", Filters()),
    ],
)
def test_filters(text: str, filters: Filters) -> None:
    assert parse(text) == Query((), filters)
    assert bool(parse(text)) == bool(text)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("dog before:20x9", "20x9", "not a date"),
        ("before:2019-13", "2019-13", "not a date"),
        ("after:2019-02-30", "2019-02-30", "not a date"),
        ("after:0000", "0000", "not a date"),
        ("dog #", "#", "number: #41"),
        ("#sunset", "#sunset", "number: #41"),
        ("#٣", "#٣", "number: #41"),
        ("picture:x", "picture:x", "picture:41"),
        ("#0", "#0", "no picture with this number"),
        ("#99999999999999999999", "#99999999999999999999", "no picture with this number"),
        ("#" + "9" * 900, "#" + "9" * 900, "no picture with this number"),
        ("+", "+", "missing"),
        (" - ", "-", "missing"),
        ("dog - ", "-", "missing"),
        ("dog 2:", "2:", "missing"),
        ("- + -", "- +", "Two signs"),
        ("--help", "--", "Two signs"),
        ("2: 3:x", "2: 3:", "Two weights"),
        ("2:-snow", "2:-", "sign before the weight"),
        ("0:snow", "0", "0.01 to 100"),
        ("a 1e9:snow", "1e9", "0.01 to 100"),
        ("9" * 500 + ":x", "9" * 500, "0.01 to 100"),
        ("2:type:gif", "2:type:gif", "no weight"),
        ("near:91,0,5km", "91,0,5km", "-90 to 90"),
        ("near:0,180.1,5km", "0,180.1,5km", "-180 to 180"),
        ("near:0,0,0", "0,0,0", "more than 0"),
        ("near:0,0,99999", "0,0,99999", "20,038"),
        ("near:munich", "munich", "near:48.1,11.5,5km"),
        ("near:0,0,5 near:0,0,6", "near:0,0,6", "place already"),
        ('a "IMG_20', '"IMG_20', "quotation mark"),
        ('camera:"can', '"can', "quotation mark"),
        ('a"b ""', '""', "nothing between"),
        ('folder:" "', '" "', "nothing between"),
        ("type: gif", "type:", "type:gif"),
        ("type:jpge", "jpge", "Did you mean jpg?"),
        ("type:xyzzy", "xyzzy", "no type"),
        ("size:2mp", "2mp", "size:>2mp"),
        ("size:>2mb", ">2mb", "size:>2mp"),
        ("size:>99999999mp", ">99999999mp", "No picture"),
        ("camra:canon", "camra:", "camera:canon"),
        ("dog Tpye:gif", "Tpye:", "type:gif"),
        ("year:2019", "year:", "after:"),
        ("-before:2019", "before:2019", "turned around"),
        ("a\0b", "\0", "cannot be read"),
        ("a\ud800b", "\ud800", "cannot be read"),
        ("x" * (MOST_CHARACTERS + 5), "x" * 5, "1,005"),
        (" + ".join("x" * (MOST_TERMS + 1)), "x", f"{MOST_TERMS} terms"),
        ("type:gif " * (MOST_FILTERS + 1), "type:gif", f"{MOST_FILTERS} filters"),
    ],
)
def test_errors_point_at_the_place(text: str, place: str, says: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text)
    error = raised.value
    assert text[error.start : error.end] == place
    assert says in error.message
    assert str(error) == error.message
    assert error.message.endswith((".", "?"))


PIECES = (
    'dog|retriever|#41|#7|picture:9|+|-|--|++|2:|-2:|0.5:|2::|12:30|2:35|-snow|+x|-#4|"IMG_20"'
    '|"a""b"|“x y”|before:2019|after:2017-06-02|camera:canon|camera:"a b"|type:gif|-type:raw'
    '|size:>2mp|size:<=1.5kp|near:48.1,11.5,5km|near:-1,-2.25,300m|folder:holiday|-folder:"x ""y"'
    "|http://x|note:|t-shirt|c++|\"|''|:|::|#|\\|%|_|*|é|한국|🐕|\0|size:|1e9:|1e1:|camra:x|İ|ﬁ"
)


def texts(count: int) -> list[str]:
    """Random texts: pieces of queries in any order, and any letters at all."""
    rng = random.Random(5)
    letters = "ab1290 +-#:\"“”.,<>=é한\u3000\u00a0\u2028\ud800\0'\\%_*()"
    pieces = [
        rng.choice(("", " ", " ")).join(rng.choices(PIECES.split("|"), k=rng.randrange(8)))
        for _ in range(count)
    ]
    return pieces + ["".join(rng.choices(letters, k=rng.randrange(30))) for _ in range(count)]


def test_any_text_is_a_query_or_a_query_error() -> None:
    understood = 0
    for text in texts(2_000):
        try:
            found = parse(text)
        except QueryError as error:
            assert 0 <= error.start < error.end <= len(text), text
        else:
            understood += bool(found)
            assert parse(str(found)) == found, text
            assert str(parse(str(found))) == str(found), text
    assert understood > 500


def made(rng: random.Random) -> Query:
    """A query of parts that never were a text."""
    vocabulary = ("dog", "t-shirt", "35mm", "12:30", "한국", "c++", "note:", "http://x", "é")
    terms: list[Term] = []
    for _ in range(rng.randrange(5)):
        weight = rng.choice((1, 2, 0.5, 0.01, 100, 33.33)) * rng.choice((1, -1))
        text = " ".join(rng.choices(vocabulary, k=rng.randrange(1, 4)))
        terms.append(
            rng.choice((Words(text, weight), PictureTerm(rng.randrange(1, 2**63), weight)))
        )
    texts = ("canon", 'a "b"', "two words", '"', "%_*\\", "é/한국 ")
    traits = {
        Trait(rng.choice(("camera", "name", "folder")), rng.choice(texts), rng.random() < 0.5)
        for _ in range(rng.randrange(4))
    }
    return Query(
        tuple(terms),
        Filters(
            rng.choice((None, date(rng.randrange(1, 10_000), rng.randrange(1, 13), 1))),
            rng.choice((None, date(2020, 1, 1), date(2020, 2, rng.randrange(1, 28)))),
            rng.choice((None, 1, 2_000_001, 500_000, rng.randrange(1, 10**12))),
            rng.choice((None, 0, 1, 1_999_999, rng.randrange(10**12))),
            rng.choice((None, Near(round(rng.uniform(-90, 90), 6), -180.0, 0.001))),
            (*traits, Trait("type", "gif")),
        ),
    )


def test_a_querys_text_means_that_query() -> None:
    rng = random.Random(6)
    for _ in range(1_000):
        wanted = made(rng)
        assert parse(str(wanted)) == wanted, str(wanted)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  a  dog ", "a dog"),
        ("dog -snow park", "dog park - snow"),
        ("-snow", "- snow"),
        ("1:dog 2.50:cat", "dog + 2.5:cat"),
        ("type:jpg after:2017-06-01 before:2019-01-01", "after:2017-06 before:2019 type:jpeg"),
        ("size:>2000000px size:<=499kp", "size:>2mp size:<=499kp"),
        ("near:48.10,11.5,5", "near:48.1,11.5,5km"),
        ('-"IMG" camera:"canon" folder:"a b"', '-"IMG" camera:canon folder:"a b"'),
    ],
)
def test_the_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


def test_queries_change_a_part_at_a_time() -> None:
    start = parse("dog + 2:#41 - snow type:gif")
    dog, picture, snow = start.terms
    assert str(query.without(start, picture)) == "dog - snow type:gif"
    assert str(query.negated(start, snow)) == "dog + 2:#41 + snow type:gif"
    assert str(query.negated(start, picture)) == "dog - 2:#41 - snow type:gif"
    assert str(query.weighted(start, dog, 3)) == "3:dog + 2:#41 - snow type:gif"
    assert str(query.with_term(start, PictureTerm(7, -1))) == "dog + 2:#41 - snow - #7 type:gif"
    assert str(query.with_filters(start, Filters())) == "dog + 2:#41 - snow"


def test_an_empty_query_is_false() -> None:
    assert not parse("")
    assert parse("type:gif")
    assert parse("dog")
