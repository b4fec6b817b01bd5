"""A coarse step is a quarter of the work of another: what follows for rates and for the time left."""

from __future__ import annotations

import pytest
from made_specs import run_protocol

from harness.train.budget import Budget


def test_without_coarse_epochs_work_is_the_number_of_steps() -> None:
    budget = Budget.of(run_protocol(epochs=10), 5)
    assert [budget.work(step) / budget.all_work for step in (0, 1, 25, 50)] == [0, 0.02, 0.5, 1]
    assert budget.patch([96, 64], 0) == (96, 64)


def test_four_coarse_epochs_are_the_work_of_one() -> None:
    budget = Budget.of(run_protocol(epochs=5, coarse=0.8), 10)
    assert (budget.coarse_epochs, budget.all_work) == (4, 20)
    assert [budget.work(step) / budget.all_work for step in (0, 20, 40, 45, 50)] == [0, 0.25, 0.5, 0.75, 1]
    assert [budget.patch([97, 63], epoch) for epoch in (0, 3, 4)] == [(48, 31), (48, 31), (97, 63)]
    assert budget.patch(None, 0) is None


@pytest.mark.parametrize(("coarse", "epochs"), [(0.99, 9), (0.5, 5), (0.1, 1), (0.04, 0)])
def test_the_last_epoch_is_never_coarse(coarse: float, epochs: int) -> None:
    assert Budget.of(run_protocol(epochs=10, coarse=coarse), 3).coarse_epochs == epochs
    assert Budget.of(run_protocol(epochs=1, coarse=coarse), 3).coarse_epochs == 0


def test_the_first_step_is_not_timed() -> None:
    # Of 50 steps: one untimed, nine timed, forty left.
    assert Budget(10, 5).shares(9) == pytest.approx({"work_timed": 9 / 50, "work_left": 0.8})
    # Of 45 coarse steps and five others.
    budget = Budget(10, 5, coarse_epochs=9)
    assert budget.shares(0) == pytest.approx({"work_timed": 0, "work_left": 64 / 65})
    assert budget.shares(49) == pytest.approx({"work_timed": 64 / 65, "work_left": 0})
