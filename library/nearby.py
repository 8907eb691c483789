"""Distances on the earth, taken as a sphere."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin

import numpy as np
from numpy.typing import NDArray

from library.filters import Near

Degrees = NDArray[np.float64]

_EARTH_KM = 6371.0088
_MARGIN = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees of latitude, and of longitude to both sides of a place."""

    south: float
    north: float
    width: float


def box(near: Near) -> Box:
    """What holds everything near a place, and some more.

    The circle is widest nearer to the pole than its middle is: see
    http://janmatuschek.de/LatitudeLongitudeBoundingCoordinates. Around a pole lie all longitudes.
    """
    reach = near.km / _EARTH_KM
    south, north = (near.latitude + sign * (degrees(reach) + _MARGIN) for sign in (-1, 1))
    if south <= -90 or north >= 90:
        return Box(south, north, 180)
    return Box(south, north, degrees(asin(sin(reach) / cos(radians(near.latitude)))) + _MARGIN)


def distances(near: Near, latitudes: Degrees, longitudes: Degrees) -> Degrees:
    """How far places (n,) are from a place, in km, by the haversine formula."""
    north, here = np.radians(latitudes), np.radians(near.latitude)
    across = np.radians(longitudes - near.longitude)
    half = np.sin((north - here) / 2) ** 2 + np.cos(north) * np.cos(here) * np.sin(across / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1))))
