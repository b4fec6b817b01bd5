"""Costs: typical times, worst memory, and never an invented zero."""

from __future__ import annotations

import made_records

from harness.board.board import Cost
from harness.board.cost import cost_of, hardware_of
from harness.contract.record import ModelSize


def test_times_are_medians_and_memory_is_the_peak():
    records = [
        made_records.record(
            seed=seed,
            time_s={"train": train, "volume_median": 0.1 * train, "volume_p95": 0.2 * train},
            memory_mib={"gpu_train_allocated": None, "host_peak": 100.0 * train},
            model=ModelSize(7_763_041, None, (10, 1, 96, 96), None),
        )
        for seed, train in enumerate((1.0, 9.0, 2.0))
    ]
    assert cost_of(records) == Cost(
        train_s=2.0,
        predict_s_median=0.2,
        predict_s_p95=0.4,
        host_mib=900.0,
        parameters=7_763_041,
    )


def test_training_time_includes_the_first_step():
    """Compilation is a cost of training, although it is not the duration of a step."""
    compiled = made_records.record(time_s={"first step": 100.0, "train": 8.0})
    assert cost_of([compiled]).train_s == 108.0


def test_what_was_not_measured_is_none():
    nan = made_records.record(time_s={"train": float("nan")}, model=ModelSize(5, 20, (1,), None))
    assert cost_of([nan]) == Cost(parameters=5, flops=20)
    assert cost_of([]) == Cost()


def test_every_hardware_class_is_named():
    records = [
        made_records.record(hardware=made_records.hardware(name))
        for name in ("gpu: H200", "cpu: X", "gpu: H200")
    ]
    assert hardware_of([*records, made_records.record(hardware=None)]) == ("cpu: X", "gpu: H200")


def test_a_machine_that_others_used_is_no_match_for_a_quiet_one():
    def on(shared):
        contention = made_records.busy(train=shared, predict=False)
        return made_records.record(hardware=made_records.hardware("EPYC", contention=contention))

    assert hardware_of([on(False)]) == ("EPYC",)
    assert hardware_of([on(True), on(False)]) == ("EPYC", "EPYC, shared")


def test_a_training_timed_on_another_machine_is_not_passed_off_as_this_ones():
    here, mixed = (
        made_records.record(hardware=made_records.hardware("EPYC", trained_on=tuple(machines)))
        for machines in (["EPYC"], ["H200", "EPYC"])
    )
    assert hardware_of([here]) == ("EPYC",)
    assert hardware_of([mixed]) == ("EPYC, trained on H200 and EPYC",)
