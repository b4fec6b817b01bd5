"""Types that all of the statistics share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Interval = tuple[float, float]
"""Lower and upper limit of a 95 % interval."""
