"""The trail in the URL, and the shapes of the grid: what the pages compute without a library."""

from __future__ import annotations

import math

import pytest

from tools.ratios import TARGET, ratios_css
from web import grid, trail


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ()),
        ("12,41", (12, 41)),
        (" 12 , 41", (12, 41)),
        ("12,x,-3,4.5,,41", (12, 41)),
        ("1,2,1", (2, 1)),
        ("٣,²,7", (7,)),
        ("9" * 5000, ()),
        (",".join(map(str, range(1, 31))), tuple(range(19, 31))),
    ],
)
def test_a_trail_is_read_whatever_stands_there(text: str, ids: trail.Trail) -> None:
    assert trail.parse(text) == ids


def test_a_trail_grows_to_twelve_and_forgets_the_oldest() -> None:
    walked: trail.Trail = ()
    for image_id in range(1, 15):
        walked = trail.extend(walked, image_id)
    assert walked == tuple(range(3, 15))


def test_walking_back_leaves_the_rest_of_the_trail() -> None:
    assert trail.before((1, 2, 3), 2) == (1,)
    assert trail.before((1, 2, 3), 4) == (1, 2, 3)


def test_a_trail_survives_the_url() -> None:
    assert trail.parse(trail.to_text((5, 3)) or "") == (5, 3)
    assert trail.to_text(()) is None


@pytest.mark.parametrize("width", [410, 500, 640, 800, 999, 1000, 1333, 1500, 1777, 2400, 3150])
def test_a_bucket_crops_a_fortieth_at_most(width: int) -> None:
    ratio = width / 1000
    shown = grid.ratio(grid.bucket(width, 1000))
    assert abs(math.log(shown / ratio)) <= math.log(1.05) / 2 + 1e-9


@pytest.mark.parametrize(("width", "height"), [(1, 10_000), (10_000, 1), (5, 0)])
def test_extreme_shapes_stay_in_the_grid(width: int, height: int) -> None:
    assert 0 <= grid.bucket(width, height) < grid.BUCKETS


def test_the_style_sheet_has_every_bucket() -> None:
    assert TARGET.read_text(encoding="utf-8") == ratios_css()
    compiled = (TARGET.parent.parent / "app.css").read_text(encoding="utf-8")
    for number in range(grid.BUCKETS):
        assert f".r-{number}{{" in compiled


def test_columns_stay_level_and_begin_with_the_closest() -> None:
    tiles = [
        grid.Tile(n, "", grid.bucket(100 + n % 3 * 50, 100), 1, 1, "", "", "", None)
        for n in range(20)
    ]
    left, right = grid.columns(tiles)
    heights = [sum(1 / grid.ratio(tile.bucket) for tile in column) for column in (left, right)]
    assert abs(heights[0] - heights[1]) <= 1
    assert (left[0].id, right[0].id) == (0, 1)
    assert sorted(tile.id for tile in left + right) == list(range(20))
