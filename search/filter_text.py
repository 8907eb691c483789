"""Filters as a query's text has them: `before:2019`, `size:>2mp`, `near:48.1,11.5,5km`, `"IMG_"`.

Pure, both ways: `parse_filter` reads one, `filters_to_text` writes them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from math import ceil, floor

from library.filters import TYPE_ALIASES, TYPES, Filters, Near, Trait

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_SIZE = re.compile(r"(>=|<=|>|<)([0-9]{1,13}(?:\.[0-9]{1,6})?)(mp|kp|px)", re.IGNORECASE)
_NUMBER = r"([+-]?[0-9]{1,5}(?:\.[0-9]{1,12})?)"
_NEAR = re.compile(rf"{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(km|m)?", re.IGNORECASE)
_UNITS = {"mp": 1_000_000, "kp": 1_000, "px": 1}
_MOST_PIXELS = 10**12
_HALFWAY_ROUND = 20_038  # km


def parse_filter(name: str, value: str) -> Filters:
    """What one filter asks for. Raises ValueError, with a sentence for people, if it is nothing."""
    return FILTERS[name](value)


def filters_to_text(filters: Filters) -> Iterator[str]:
    """Each filter in its canonical form; a value with spaces in quotes."""
    if filters.after is not None:
        yield f"after:{_date_text(filters.after)}"
    if filters.before is not None:
        yield f"before:{_date_text(filters.before)}"
    if filters.least is not None:
        yield f"size:{_shorter(f'>{pixels(filters.least - 1)}', f'>={pixels(filters.least)}')}"
    if filters.most is not None:
        yield f"size:{_shorter(f'<{pixels(filters.most + 1)}', f'<={pixels(filters.most)}')}"
    if filters.near is not None:
        place = filters.near.latitude, filters.near.longitude, filters.near.km
        yield f"near:{','.join(_decimal(number) for number in place)}km"
    yield from map(trait_text, filters.traits)


def trait_text(trait: Trait) -> str:
    """A trait as it is written: -type:gif, "IMG_", folder:"two words"."""
    quoted = '"' + trait.text.replace('"', '""') + '"'
    sign = "" if trait.wanted else "-"
    if trait.kind == "name":
        return sign + quoted
    plain = not re.search(r'[\s"]', trait.text)
    return f"{sign}{trait.kind}:{trait.text if plain else quoted}"


def pixels(number: int) -> str:
    """A number of pixels in the largest unit that keeps it exact within two decimals."""
    for unit, size in _UNITS.items():
        if number % (size // 100 or 1) == 0 and number >= size // 100:
            return _decimal(number / size) + unit
    raise AssertionError("px divides everything")


def _day(value: str) -> date:
    found = _DATE.fullmatch(value)
    year, month, day = found.groups("1") if found else ("0", "0", "0")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(f"“{value}” is not a date. Write 2019, 2019-06 or 2019-06-30.") from None


def _date_text(day: date) -> str:
    text = f"{day.year:04}-{day.month:02}-{day.day:02}"
    return text[:4] if (day.month, day.day) == (1, 1) else text[:7] if day.day == 1 else text


def _size(value: str) -> Filters:
    found = _SIZE.fullmatch(value)
    if found is None:
        raise ValueError(
            f"“{value}” is not a size. Write size:>2mp or size:<500kp (mega- or kilopixels)."
        )
    count = Decimal(found[2]) * _UNITS[found[3].lower()]
    if count > _MOST_PIXELS:
        raise ValueError(f"No picture has {found[2]}{found[3]}.")
    # Pixels are whole numbers, so that every bound has an inclusive form.
    if found[1].startswith(">"):
        return Filters(least=max(1, ceil(count) if found[1] == ">=" else floor(count) + 1))
    return Filters(most=max(0, floor(count) if found[1] == "<=" else ceil(count) - 1))


def _near(value: str) -> Filters:
    found = _NEAR.fullmatch(value.strip())
    if found is None:
        raise ValueError(
            f"“{value}” is not a place. Write latitude, longitude and a distance: "
            "near:48.1,11.5,5km."
        )
    latitude, longitude = round(float(found[1]), 6) + 0.0, round(float(found[2]), 6) + 0.0
    km = round(float(found[3]) / (1000 if (found[4] or "").lower() == "m" else 1), 6)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError("A latitude lies from -90 to 90 and a longitude from -180 to 180.")
    if not 0 < km <= _HALFWAY_ROUND:
        raise ValueError(f"A distance is more than 0 and at most {_HALFWAY_ROUND:,} km.")
    return Filters(near=Near(latitude, longitude, km))


def _type(value: str) -> Filters:
    name = value.lower().removeprefix(".")
    name = TYPE_ALIASES.get(name, name)
    if name not in TYPES:
        close = get_close_matches(name, (*TYPES, *TYPE_ALIASES), 1)
        hint = f"Did you mean {close[0]}?" if close else "Types are jpeg, png, gif, raw, video, ..."
        raise ValueError(f"There is no type “{value}”. {hint}")
    return Filters(traits=(Trait("type", name),))


def _shorter(one: str, other: str) -> str:
    return one if len(one) <= len(other) else other


def _decimal(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


FILTERS: dict[str, Callable[[str], Filters]] = {
    "before": lambda value: Filters(before=_day(value)),
    "after": lambda value: Filters(after=_day(value)),
    "camera": lambda value: Filters(traits=(Trait("camera", value),)),
    "type": _type,
    "size": _size,
    "near": _near,
    "folder": lambda value: Filters(traits=(Trait("folder", value),)),
}
"""What each filter makes of its value, by name."""

EXAMPLES = {
    "before": "before:2019",
    "after": "after:2017-06",
    "camera": "camera:canon",
    "type": "type:gif",
    "size": "size:>2mp",
    "near": "near:48.1,11.5,5km",
    "folder": "folder:holiday",
}
