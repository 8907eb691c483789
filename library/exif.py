"""What a picture says of its making: date, camera and place, from EXIF."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import ExifTags, Image

_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """When, with what and where a picture was taken, as far as it says."""

    taken_at: str | None = None
    """Local time, ISO 8601 without a zone."""
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Degrees, north and east positive; both or neither."""

    def or_else(self, other: Taken) -> Taken:
        """The same, with what is not said here taken from another."""
        place = self if self.latitude is not None else other
        return Taken(
            self.taken_at or other.taken_at,
            self.camera or other.camera,
            place.latitude,
            place.longitude,
        )


def read(exif: Image.Exif) -> Taken:
    """What EXIF says; damaged EXIF is no reason to lose a picture, and says nothing."""
    try:
        details = exif.get_ifd(ExifTags.IFD.Exif)
        return taken(exif, details, exif.get_ifd(ExifTags.IFD.GPSInfo))
    except Exception:  # Pillow raises many types on damaged EXIF and documents none
        return Taken()


def taken(
    main: Mapping[int, object], details: Mapping[int, object], gps: Mapping[int, object]
) -> Taken:
    """What the three directories of EXIF (the first, Exif, GPS) say together."""
    time = details.get(ExifTags.Base.DateTimeOriginal) or main.get(ExifTags.Base.DateTime)
    latitude = _degrees(gps.get(2), gps.get(1), "S", 90)
    longitude = _degrees(gps.get(4), gps.get(3), "W", 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    camera = camera_name(main.get(ExifTags.Base.Make), main.get(ExifTags.Base.Model))
    return Taken(_iso_time(text(time)), camera, latitude, longitude)


def camera_name(maker: object, model: object) -> str | None:
    """Maker and model as one name, or None when neither is given."""
    make, name = text(maker), text(model)
    # "NIKON CORPORATION" and "NIKON D2X", "Canon" and "Canon EOS R5": most makers say it twice.
    if make and name.lower().startswith(make.lower().split()[0]):
        make = ""
    return " ".join(part for part in (make, name) if part) or None


def text(value: object) -> str:
    """A value of EXIF as one short printable line."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    words = " ".join(value.replace("\0", " ").split())
    return "".join(letter for letter in words if letter.isprintable())[:_LONGEST_TEXT]


def _iso_time(text: str) -> str | None:
    """EXIF's "2019:07:31 18:02:11" as ISO 8601, or None when it is no date."""
    digits = "".join(letter for letter in text[:19] if letter.isdigit())
    if len(digits) != 14 or not (digits[:4] >= "0001" and "01" <= digits[4:6] <= "12"):
        return None
    year, rest = digits[:4], [digits[i : i + 2] for i in range(4, 14, 2)]
    month, day, hour, minute, second = rest
    if not ("01" <= day <= "31" and hour < "24" and minute < "60" and second < "61"):
        return None
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


def _degrees(parts: object, reference: object, negative: str, limit: float) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = map(float, parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not (math.isfinite(value) and 0 <= value <= limit):
        return None
    return -value if text(reference).upper().startswith(negative) else value
