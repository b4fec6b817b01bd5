"""Clinical indices as the ACDC challenge reports them, and how well they agree with the reference.

Bernard et al., IEEE TMI 37(11), 2018: volumes of both ventricles at end diastole (ED) and end
systole (ES), their ejection fractions, and the myocardial mass at ED. Agreement follows Bland
and Altman, Lancet 327, 1986.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import DataError

MYOCARDIUM_G_PER_ML = 1.05
"""Density of heart muscle."""

LIMITS = 1.96
"""Standard deviations from the bias to either limit of agreement: 95 % of a normal distribution."""

UNITS: Mapping[str, str] = {
    "lv-edv": "mL",
    "lv-esv": "mL",
    "lv-ef": "%",
    "rv-edv": "mL",
    "rv-esv": "mL",
    "rv-ef": "%",
    "myo-mass": "g",
}
"""The indices and their units, in the order of a table."""


def indices(volumes_ml: Mapping[tuple[str, str], float]) -> dict[str, float | None]:
    """The clinical indices of one patient, all names of `UNITS`, None where a volume is missing.

    `volumes_ml` maps structure and phase, such as ``("LV", "ED")``, to mL; structures are LV, RV
    and MYO. An ejection fraction is also None if the volume at ED is 0.
    """
    by_name: dict[str, float | None] = {}
    for ventricle in ("LV", "RV"):
        edv, esv = (volumes_ml.get((ventricle, phase)) for phase in ("ED", "ES"))
        name = ventricle.lower()
        by_name[f"{name}-edv"], by_name[f"{name}-esv"] = edv, esv
        by_name[f"{name}-ef"] = None if edv is None or esv is None else ejection_fraction(edv, esv)
    muscle = volumes_ml.get(("MYO", "ED"))
    by_name["myo-mass"] = None if muscle is None else mass_g(muscle)
    return {name: by_name[name] for name in UNITS}


def ejection_fraction(edv_ml: float, esv_ml: float) -> float | None:
    """100 (EDV − ESV) / EDV in %, None if EDV is 0; negative if ESV is larger."""
    return 100 * (edv_ml - esv_ml) / edv_ml if edv_ml > 0 else None


def worst_fraction(reference: float) -> float:
    """0 or 100 %, whichever is farther from the `reference` ejection fraction."""
    return 0.0 if reference > 50 else 100.0


def mass_g(muscle_ml: float) -> float:
    """The mass in g of this volume of heart muscle in mL."""
    return MYOCARDIUM_G_PER_ML * muscle_ml


@dataclass(frozen=True)
class Agreement:
    """How one index agrees with the reference over patients. Differences are measured minus reference.

    `n` is the number of patients with both values; `excluded` lack one. `r` is Pearson's correlation,
    None for fewer than two patients or if one side does not vary. `bias` is the mean difference and
    `mae` the mean absolute difference, None without any patient. `sd` is the sample standard deviation
    (divisor n − 1), and `lower` and `upper` are the limits of agreement, `bias` ± 1.96 `sd`; they are
    None for fewer than two patients.
    """

    n: int
    excluded: int
    r: float | None
    bias: float | None
    sd: float | None
    lower: float | None
    upper: float | None
    mae: float | None


def agreement(reference: Sequence[float | None], measured: Sequence[float | None]) -> Agreement:
    """Agreement of paired values, one pair a patient, None where a value is missing.

    DataError for sequences of different length and for values that are not finite.
    """
    if len(reference) != len(measured):
        raise DataError(
            f"{len(reference)} reference values can't be paired with {len(measured)} measured ones"
        )
    pairs = [(a, b) for a, b in zip(reference, measured, strict=True) if a is not None and b is not None]
    if not all(math.isfinite(value) for pair in pairs for value in pair):
        raise DataError("a value is not finite", remedy="Use None for a missing value.")
    n, excluded = len(pairs), len(reference) - len(pairs)
    if not n:
        return Agreement(0, excluded, None, None, None, None, None, None)
    differences = [b - a for a, b in pairs]
    bias = statistics.fmean(differences)
    mae = statistics.fmean(map(abs, differences))
    if n == 1:
        return Agreement(1, excluded, None, bias, None, None, None, mae)
    sd = statistics.stdev(differences)
    return Agreement(n, excluded, _pearson(pairs), bias, sd, bias - LIMITS * sd, bias + LIMITS * sd, mae)


def _pearson(pairs: Sequence[tuple[float, float]]) -> float | None:
    first, second = zip(*pairs, strict=True)
    # Compared directly: deviations from a rounded mean could mistake rounding for variation.
    if min(first) == max(first) or min(second) == max(second):
        return None
    return max(-1.0, min(1.0, statistics.correlation(first, second)))
