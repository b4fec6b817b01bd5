"""A coarse step is a quarter of the work of another: what follows for rates and for the time left."""

from __future__ import annotations

import pytest

from harness.train.course import Course


def test_without_coarse_epochs_work_is_the_number_of_steps() -> None:
    course = Course.of({"epochs": 10}, 5)
    assert [course.work(step) / course.all_work for step in (0, 1, 25, 50)] == [0, 0.02, 0.5, 1]
    assert course.patch([96, 64], 0) == (96, 64)


def test_four_coarse_epochs_are_the_work_of_one() -> None:
    course = Course.of({"epochs": 5, "coarse": 0.8}, 10)
    assert (course.coarse, course.all_work) == (4, 80)
    assert [course.work(step) / course.all_work for step in (0, 20, 40, 45, 50)] == [0, 0.25, 0.5, 0.75, 1]
    assert [course.patch([97, 64], epoch) for epoch in (0, 3, 4)] == [(48, 32), (48, 32), (97, 64)]
    assert course.patch(None, 0) is None


@pytest.mark.parametrize(("coarse", "epochs"), [(0.99, 9), (0.5, 5), (0.1, 1), (0.04, 0)])
def test_the_last_epoch_is_never_coarse(coarse: float, epochs: int) -> None:
    assert Course.of({"epochs": 10, "coarse": coarse}, 3).coarse == epochs
    assert Course.of({"epochs": 1, "coarse": coarse}, 3).coarse == 0


def test_the_first_step_is_not_timed() -> None:
    # Of 50 steps: one untimed, nine timed, forty left.
    assert Course(10, 5).shares(9) == pytest.approx({"timed": 9 / 50, "left": 0.8})
    assert Course(10, 5, coarse=9).shares(0) == pytest.approx({"timed": 0, "left": 64 / 65})
    assert Course(10, 5, coarse=9).shares(49) == pytest.approx({"timed": 64 / 65, "left": 0})
