"""One readable unit a column."""

from __future__ import annotations

import pytest

from harness.tables.units import count_scale, memory_scale, metric_scale, time_scale


@pytest.mark.parametrize(
    ("seconds", "unit", "texts"),
    [
        ([0.0612, 0.148], "ms", ["61", "148"]),
        ([0.0042, 0.0123], "ms", ["4.2", "12.3"]),
        ([16.2, 53.06], "s", ["16.2", "53.1"]),
        ([120.0, 660.0], "s", ["120", "660"]),
        ([540.0, 10440.0], "min", ["9.0", "174.0"]),
        ([9360.0, 104400.0], "h", ["2.6", "29.0"]),
        ([None, 2.0], "s", [None, "2.0"]),
    ],
)
def test_times(seconds, unit, texts):
    scale = time_scale(seconds)
    assert scale.unit == unit
    assert [None if s is None else scale.text(s) for s in seconds] == texts


def test_memory_turns_to_gib_from_one_gib_on():
    assert (memory_scale([803.5, 871.0]).unit, memory_scale([803.5]).text(803.5)) == ("MiB", "804")
    scale = memory_scale([310.0, 4096.0])
    assert (scale.unit, scale.text(310.0), scale.short(4096.0)) == ("GiB", "0.30", "4")
    assert memory_scale([2150.0]).text(2150.0) == "2.1"


def test_sizes():
    assert count_scale([7_763_041, 5_470_000]).text(7_763_041) == "7.76"
    assert count_scale([7_763_041]).unit == "M"
    assert count_scale([24e9, 175e9], "FLOP").unit == "GFLOP"
    assert count_scale([487_000]).text(487_000) == "487"
    assert count_scale([]).unit == ""


def test_dice_has_three_decimals_and_distances_one():
    assert metric_scale("dice").text(0.91249) == "0.912"
    assert (metric_scale("hd").unit, metric_scale("hd").text(13.92)) == ("mm", "13.9")
