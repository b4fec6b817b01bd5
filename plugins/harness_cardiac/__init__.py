"""Datasets of short-axis cardiac MR as plugins: ACDC and synthetic phantoms."""

from collections.abc import Iterator

from harness import Dataset, hookimpl

STRUCTURES = {"RV": 1, "MYO": 2, "LV": 3}
"""Label values of ACDC: right ventricular cavity, myocardium, left ventricular cavity."""


@hookimpl
def harness_datasets() -> Iterator[Dataset]:
    """Both have the same layout, structures and phases, so the same code reads both."""
    yield Dataset(
        "acdc",
        "harness_cardiac.acdc:ACDC",
        summary="ACDC 2017: 100 + 50 patients in five groups, ED and ES",
        structures=STRUCTURES,
        phases=("ED", "ES"),
        licence="CC-BY-NC-SA-4.0",
        homepage="https://www.creatis.insa-lyon.fr/Challenge/acdc/",
    )
    yield Dataset(
        "phantom",
        "harness_cardiac.phantom:Phantom",
        summary="synthetic hearts generated from a seed, in ACDC's layout",
        structures=STRUCTURES,
        phases=("ED", "ES"),
        licence="CC0-1.0",
        defaults={"train": 20, "test": 10, "seed": 0},
        embeddable=True,
    )
