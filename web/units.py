"""Units: sizes, times and numbers as the reader's language writes them."""

from __future__ import annotations

from datetime import datetime

from flask_babel import format_datetime, format_decimal

from web.language import gettext


def number(value: float, places: int = 0) -> str:
    """A number with so many decimal places: 12,345 or 4.5."""
    return str(format_decimal(value, "#,##0" + ("." + "0" * places if places else "")))


def file_size(size: int) -> str:
    """Bytes in the unit that keeps the number short: 842 bytes, 64 kB, 3.1 MB."""
    if size < 1000:
        return gettext("%(number)s bytes", number=size)
    if size < 1_000_000:
        return f"{number(size / 1000)} kB"
    if size < 1_000_000_000:
        return f"{number(size / 1_000_000, 1)} MB"
    return f"{number(size / 1_000_000_000, 1)} GB"


def duration(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return gettext("%(seconds)s s", seconds=whole)
    if whole < 3600:
        return gettext("%(minutes)s min %(seconds)s s", minutes=whole // 60, seconds=whole % 60)
    return gettext("%(hours)s h %(minutes)s min", hours=whole // 3600, minutes=whole % 3600 // 60)


def place(latitude: float, longitude: float, places: int) -> str:
    """Degrees with so many decimal places: 48.1° N, 11.6° E."""
    north = gettext("%(degrees)s° N") if latitude >= 0 else gettext("%(degrees)s° S")
    east = gettext("%(degrees)s° E") if longitude >= 0 else gettext("%(degrees)s° W")
    pairs = ((north, latitude), (east, longitude))
    return ", ".join(text % {"degrees": f"{abs(degrees):.{places}f}"} for text, degrees in pairs)


def date(taken_at: str) -> str:
    """An ISO 8601 time as people write it: 31 July 2019, 18:02."""
    try:
        time = datetime.fromisoformat(taken_at)
    except ValueError:  # EXIF knows the 31st of February
        return taken_at.replace("T", " ")
    # Translators: how a date is written, as Unicode's CLDR has it.
    return str(format_datetime(time, gettext("d MMMM y, HH:mm"), rebase=False))
