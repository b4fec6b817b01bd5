"""Metric names: what each says of itself, and what a misspelt one gets."""

import subprocess
import sys

import pytest

from harness.errors import ConfigError
from harness.metrics.definitions import METRICS, metric


@pytest.mark.parametrize(
    ("name", "unit", "higher_is_better", "penalty"),
    [
        ("dice", "", True, "zero"),
        ("iou", "", True, "zero"),
        ("hd", "mm", False, "diagonal"),
        ("hd95", "mm", False, "diagonal"),
        ("hd95-directed", "mm", False, "diagonal"),
        ("assd", "mm", False, "diagonal"),
        ("nsd@2mm", "", True, "zero"),
        ("volume", "mL", None, None),
        ("volume-error", "mL", None, None),
    ],
)
def test_a_ranking_turns_each_metric_the_right_way(name, unit, higher_is_better, penalty):
    found = metric(name)
    assert (found.name, found.unit, found.higher_is_better, found.penalty) == (
        name,
        unit,
        higher_is_better,
        penalty,
    )
    assert found.definition.endswith(".")


def test_every_metric_is_found_under_its_own_name():
    assert all(metric(name) is METRICS[name] for name in METRICS)


@pytest.mark.parametrize(("name", "mm"), [("nsd@2mm", 2), ("nsd@1.5mm", 1.5), ("nsd@.5mm", 0.5)])
def test_any_tolerance_of_nsd_is_a_metric(name, mm):
    assert metric(name).tolerance_mm == mm


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Dice", "'dice'"),
        ("hausdorff", "hd"),
        ("hd96", "'hd95'"),
        ("asd", "'assd'"),
        ("hd95-direct", "'hd95-directed'"),
        ("volume_error", "'volume-error'"),
        ("nsd", "nsd@2mm"),
        ("nsd@2", "nsd@2mm"),
        ("nsd@0mm", "above 0"),
        ("nsd@-1mm", "above 0"),
        ("nsd@mm", "nsd@2mm"),
    ],
)
def test_an_unknown_metric_is_answered_with_the_right_name(wrong, right):
    with pytest.raises(ConfigError, match=right) as caught:
        metric(wrong)
    assert wrong in str(caught.value)


def test_names_and_policies_are_read_without_numpy():
    """`harness plugins` and the configuration must start at once."""
    code = (
        "import sys, harness.metrics.definitions as d, harness.metrics.empty as e, harness.metrics.clinical\n"
        "d.metric('hd'), e.EmptyPolicy()\n"
        "print(sorted({'numpy', 'scipy', 'medpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scoring_loads_no_medpy_and_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from harness.metrics import score\n"
        "a, b = np.eye(40, dtype=int), np.eye(40, k=30, dtype=int)\n"
        "score(a, b, (1, 1), {'LV': 1})\n"
        "print(sorted({'medpy', 'torch', 'pandas', 'SimpleITK'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
