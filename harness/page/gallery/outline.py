"""The outline of a mask as an SVG path."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray


def outline(mask: NDArray[np.bool_]) -> str:
    """The closed lines half-way between the pixels inside and outside of `mask` ``(y, x)``.

    The unit is half a pixel, the origin the corner of the first one. Empty for an empty mask.
    """
    from contourpy import contour_generator

    lines = contour_generator(z=np.pad(mask, 1).astype(np.float64)).lines(0.5)
    # Pixel centres are at whole numbers, moved by the padding; twice that makes all crossings whole.
    return "".join(_path(np.rint(2 * (np.asarray(line) - 0.5)).astype(int)) for line in lines)


def _path(points: NDArray[np.int_]) -> str:
    """Relative steps, those of one direction joined: a third of the bytes of plain points."""
    steps = [(int(x), int(y)) for x, y in np.diff(points, axis=0)]
    runs = [(step, len(list(same))) for step, same in groupby(steps)]
    numbers = "".join(f"{n * x:+d}{n * y:+d}" for (x, y), n in runs[:-1])
    return f"M{points[0][0]} {points[0][1]}l{numbers}z"
