"""Filters over a real database: which pictures they leave, and what there is to choose from."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Callable
from datetime import datetime
from math import atan2, cos, hypot, radians, sin
from typing import Literal

import pytest

from library import images
from library.choices import MOST_CAMERAS, Choices, ChoicesCache, choices
from library.database import Database
from library.filters import TYPES, Filters, Near
from library.matching import matching
from library.models import Metadata
from search.parser import parse

Add = Callable[..., int]

MTIME = datetime(2018, 6, 1, 12)


@pytest.fixture
def add(database: Database) -> Add:
    """Add a picture with its files' paths, as a crawl would; those of `gone` are missing."""
    connection = database.connection

    def one(
        *paths: str | bytes,
        mtime: datetime = MTIME,
        gone: tuple[str | bytes, ...] = (),
        size: tuple[int, int] = (1000, 1000),
        form: str = "JPEG",
        **metadata: object,
    ) -> int:
        described = Metadata(*size, form, 1, 1, "#000000", **metadata)  # type: ignore[arg-type]
        image_id = images.add(connection, random.randbytes(16), described)
        for path in map(os.fsencode, (*paths, *gone) or (f"/p/{image_id}.jpg",)):
            folder = os.path.dirname(path)
            connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (folder,))
            connection.execute(
                """INSERT INTO files (path, folder_id, size, mtime_ns, image_id, missing_since)
                VALUES (?, (SELECT id FROM folders WHERE path = ?), 1, ?, ?, ?)""",
                (
                    path,
                    folder,
                    int(mtime.timestamp() * 1e9),
                    image_id,
                    1.0 if path in map(os.fsencode, gone) else None,
                ),
            )
        return image_id

    return one


def found(database: Database, text: str) -> list[int]:
    query = parse(text)
    assert not query.terms
    ids = matching(database.connection, query.filters)
    assert ids.dtype == "int64"
    return [int(number) for number in ids]


def test_no_filters_leave_every_present_picture_once(database: Database, add: Add) -> None:
    assert found(database, "") == []
    assert found(database, 'type:gif near:0,0,1 "x"') == []
    one, two = add("/p/a.jpg", "/p/b.jpg"), add("/p/c.jpg", gone=("/p/d.jpg",))
    add(gone=("/p/e.jpg",))
    database.connection.execute("INSERT INTO folders (path) VALUES (x'2f')")
    database.connection.execute(  # one that could not be read
        "INSERT INTO files (path, folder_id, size, mtime_ns) VALUES (CAST('/odd' AS BLOB), 1, 1, 1)"
    )
    assert found(database, "") == [one, two]
    assert found(database, '-"odd"') == [one, two]


def test_dates_are_the_pictures_own_else_the_files(database: Database, add: Add) -> None:
    taken = add(taken_at="2017-06-01T00:00:00", mtime=datetime(2020, 1, 1))
    eve = add(taken_at="2018-12-31T23:59:59")
    odd = add(taken_at="2018-02-31T10:00:00")  # EXIF may say so
    changed = add(mtime=datetime(2018, 12, 31, 23, 59, 59))
    new_year = add(mtime=datetime(2019, 1, 1))
    assert found(database, "before:2019") == [taken, eve, odd, changed]
    assert found(database, "after:2019") == [new_year]
    assert found(database, "after:2017-06 before:2018-12-31") == [taken, odd]
    assert found(database, "after:2017-06-02") == [eve, odd, changed, new_year]
    assert found(database, "after:2018-12-31 before:2019") == [eve, changed]
    assert found(database, "after:0001 before:9999-12-31") == [taken, eve, odd, changed, new_year]
    assert found(database, "after:9000") == found(database, "before:1500") == []


def test_of_copies_one_is_enough_and_only_present_ones_count(database: Database, add: Add) -> None:
    both = add("/p/holiday/a.jpg", "/p/work/b.jpg")
    left = add("/p/work/c.jpg", gone=("/p/holiday/d.jpg",))
    assert found(database, "folder:holiday") == [both]
    assert found(database, "folder:work") == [both, left]
    assert found(database, "-folder:holiday") == [left]
    assert found(database, '"d.jpg"') == []
    assert found(database, '-"d.jpg"') == [both, left]
    # Of one file, or the folder would be one copy's and the name another's.
    assert found(database, 'folder:holiday "b.jpg"') == []
    assert found(database, 'folder:work "b.jpg"') == [both]


def test_names_are_parts_of_paths(database: Database, add: Add) -> None:
    camera = add("/home/Ann/2019/IMG_2001.JPG")
    percent, other = add("/home/ann/100%_[x]*?.png"), add("/home/ann/100 xx.png")
    for text in ('"img_20"', '"IMG_2001.jpg"', '"2019/img"', '"ANN/2019"'):
        assert found(database, text) == [camera]
    for text in ('"%"', '"0%_["', '"[x]"', '"*"', '"?"', '"%_[X]*?."'):
        assert found(database, text) == [percent], text
    assert found(database, '"_2"') == [camera]
    assert found(database, '"home" "ann" "100"') == [percent, other]
    assert found(database, '"home" -"x]" -"img"') == [other]
    for text in (r'"\"', r'"\n"', '"100 x_"', '"a%g"', '"a*é"', '"[a-z]é"'):
        assert found(database, text) == [], text
    assert found(database, '"home/ann/2019/" folder:img') == []
    assert found(database, "folder:2019/") == found(database, "folder:/2019") == [camera]
    assert found(database, "folder:2001") == []


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/fotos/Grüße.jpg", "GRÜ"),
        ("/fotos/ÜBUNG.jpg", "übung"),
        ("/fotos/übung.jpg", "Übung"),
        ("/사진/가족 여행.jpg", "가족"),
        ("/отпуск/МОРЕ.jpg", "ОТПУСК/море"),
        ("/a/é[1]*?.jpg", "É[1]*?"),
    ],
)
def test_both_forms_of_unicode_match_in_any_case(
    database: Database, add: Add, path: str, text: str, form: Literal["NFC", "NFD"]
) -> None:
    wanted = add(unicodedata.normalize(form, path))
    add("/elsewhere/Grosse é1.jpg")
    for typed in (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
        assert found(database, f'"{typed}"') == [wanted]
        folder = found(database, f'folder:"{typed.split("/")[0]}"')
        assert folder == ([wanted] if "/" in text else [])


def test_names_need_not_be_utf8(database: Database, add: Add) -> None:
    odd = add(b"/p/\xff\xfe caf\xe9 IMG.jpg")
    cut = add(b"/p/\xe3\x81 \xf0.png")
    assert found(database, '"img"') == found(database, '" caf"') == [odd]
    assert found(database, '".png"') == [cut]
    assert found(database, '"é"') == []
    assert found(database, '-"é"') == [odd, cut]


def test_cameras(database: Database, add: Add) -> None:
    canon, leica = add(camera="Canon EOS R5"), add(camera="LEICA Q é_")
    none = add()
    assert found(database, "camera:canon") == [canon]
    assert found(database, 'camera:"eos r"') == [canon]
    assert found(database, "camera:É") == found(database, "camera:_") == [leica]
    assert found(database, "camera:canon camera:eos") == [canon]
    assert found(database, "camera:canon camera:leica") == []
    assert found(database, "-camera:canon") == [leica, none]
    assert found(database, "-camera:é") == [canon, none]


def test_types(database: Database, add: Add) -> None:
    made = {form: add(form=form) for form in ("JPEG", "MPO", "GIF", "CR2", "DNG", "MP4", "WEBM")}

    def forms(text: str) -> list[str]:
        return [form for form in made if made[form] in found(database, text)]

    assert forms("type:jpg") == forms("type:jpeg") == ["JPEG", "MPO"]
    assert forms("type:raw") == ["CR2", "DNG"]
    assert forms("type:cr2") == ["CR2"]
    assert forms("type:video") == ["MP4", "WEBM"]
    assert forms("type:gif type:video") == ["GIF", "MP4", "WEBM"]
    assert forms("-type:jpg -type:raw") == ["GIF", "MP4", "WEBM"]
    assert forms("type:raw -type:dng") == ["CR2"]


def test_sizes(database: Database, add: Add) -> None:
    small, exact, large = add(size=(500, 999)), add(size=(2000, 1000)), add(size=(2000, 1001))
    assert found(database, "size:>2mp") == [large]
    assert found(database, "size:>=2mp") == [exact, large]
    assert found(database, "size:<500kp") == [small]
    assert found(database, "size:<=2mp size:>499kp") == [small, exact]


PLACES = (
    (48.1, 11.5), (48.13, 11.57), (-17.0, 179.9), (-17.0, -179.9), (89.9, 0.0), (89.9, 180.0),
    (-89.95, 40.0), (0.0, 0.0), (0.0, 180.0), (60.0, 20.0), (60.0, 21.0), (-90.0, 7.0),
)  # fmt: skip


def test_near(database: Database, add: Add) -> None:
    places = {add(latitude=lat, longitude=long): (lat, long) for lat, long in PLACES}
    add()

    def near(text: str) -> list[tuple[float, float]]:
        return [places[number] for number in found(database, text)]

    assert near("near:48.1,11.5,1km") == [(48.1, 11.5)]
    assert near("near:48.1,11.5,10km") == [(48.1, 11.5), (48.13, 11.57)]
    assert (
        near("near:-17,180,15km") == near("near:-17,-180,15") == [(-17.0, 179.9), (-17.0, -179.9)]
    )
    assert near("near:-17,179.9,30km") == [(-17.0, 179.9), (-17.0, -179.9)]
    assert near("near:90,123,12km") == [(89.9, 0.0), (89.9, 180.0)]
    assert near("near:89.9,0,23km") == [(89.9, 0.0), (89.9, 180.0)]
    assert near("near:-89.9,-140,20km") == [(-89.95, 40.0), (-90.0, 7.0)]
    assert near("near:60,20,55km") == [(60.0, 20.0)]
    assert near("near:60,20,56km") == [(60.0, 20.0), (60.0, 21.0)]
    assert near("near:1,1,20038km") == list(PLACES)


def test_near_leaves_out_nothing_that_is_near(database: Database, add: Add) -> None:
    """The box in SQL is only a bound: compared with every place's distance."""
    rng = random.Random(4)
    places = [(rng.uniform(-90, 90), rng.uniform(-180, 180)) for _ in range(400)]
    ids = [add(latitude=lat, longitude=long) for lat, long in places]
    for _ in range(200):
        near = Near(rng.uniform(-90, 90), rng.uniform(-180, 180), 10 ** rng.uniform(1.5, 4.3))
        expected = [
            i for i, place in zip(ids, places, strict=True) if apart(near, *place) <= near.km
        ]
        assert list(matching(database.connection, Filters(near=near))) == expected


def apart(near: Near, latitude: float, longitude: float) -> float:
    """By the angle between two vectors, another way than the program's."""
    a, b = radians(near.latitude), radians(latitude)
    d = radians(longitude - near.longitude)
    across = hypot(cos(b) * sin(d), cos(a) * sin(b) - sin(a) * cos(b) * cos(d))
    return 6371.0088 * atan2(across, sin(a) * sin(b) + cos(a) * cos(b) * cos(d))


def test_what_there_is_to_choose_from(database: Database, add: Add) -> None:
    assert choices(database.connection) == Choices((), (), None, None, (), ())
    for _ in range(2):
        add(camera="Canon", taken_at="2011-01-01T00:00:00")
    add("/p/a.jpg", "/p/copy.jpg", camera="Leica", form="CR2", taken_at="2001-02-03T00:00:00")
    add(form="DNG")
    add(form="SOMETHING NEW")
    add(gone=("/p/gone.jpg",), camera="Gone", form="GIF", taken_at="1999-02-03T00:00:00")
    assert choices(database.connection) == Choices(
        (("Canon", 2), ("Leica", 1)), (("jpeg", 2), ("raw", 2)), 2001, 2011, ("p",), ()
    )
    for number in range(MOST_CAMERAS + 5):
        add(camera=f"Camera {number:02}")
    offered = choices(database.connection).cameras
    assert len(offered) == MOST_CAMERAS
    assert offered[:3] == (("Canon", 2), ("Camera 00", 1), ("Camera 01", 1))


def test_choices_are_kept_for_a_while(database: Database, add: Add) -> None:
    now = 100.0
    cache = ChoicesCache(lambda: now)
    add(camera="Canon")
    first = cache.get(database.connection)
    add(camera="Canon")
    assert cache.get(database.connection) is first
    now = 131.0
    assert cache.get(database.connection).cameras == (("Canon", 2),)
    second = cache.get(database.connection)
    now = 200.0
    assert cache.get(database.connection) is second  # nothing has changed
    database.connection.execute("UPDATE files SET missing_since = 1.0")
    now = 300.0
    assert cache.get(database.connection).cameras == ()


def test_every_recorded_format_has_a_type() -> None:
    """A format that nobody can filter by would be one that was forgotten here."""
    from web.originals import _MEDIA_TYPES

    assert set(_MEDIA_TYPES) <= {form for forms in TYPES.values() for form in forms}
