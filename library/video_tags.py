"""What a video says of its making, in the words of QuickTime, MP4 and Matroska."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from library.exif import Taken, camera_name

_APPLE = "com.apple.quicktime."
# ISO 6709 in decimal degrees, which is what phones write: +37.5665+126.9780+038.0/
_PLACE = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)(?![\d.])")
# Of cameras that do not know the time: QuickTime counts from 1904, others from 1970.
_FIRST_YEAR = 1971


def taken(tags: Mapping[str, str]) -> Taken:
    """Date, camera and place, from a container's metadata as FFmpeg names it."""
    latitude, longitude = _place(tags.get(f"{_APPLE}location.ISO6709") or tags.get("location", ""))
    return Taken(
        _local(tags.get(f"{_APPLE}creationdate", "")) or _here(tags.get("creation_time", "")),
        camera_name(tags.get(f"{_APPLE}make"), tags.get(f"{_APPLE}model")),
        latitude,
        longitude,
    )


def _local(text: str) -> str | None:
    """Apple's date, "2020-02-03T13:05:06+0900": the time where it was taken."""
    try:
        time = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    return time.isoformat() if time.year >= _FIRST_YEAR else None


def _here(text: str) -> str | None:
    """The containers' own date is in UTC and says no zone: the time where Kindred runs."""
    if _local(text) is None:
        return None
    try:
        time = datetime.fromisoformat(f"{text[:19]}+00:00").astimezone()
    except (ValueError, OverflowError, OSError):
        return None
    return time.replace(tzinfo=None).isoformat()


def _place(text: str) -> tuple[float, float] | tuple[None, None]:
    found = _PLACE.match(text)
    if found is None:
        return None, None
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    return latitude, longitude
