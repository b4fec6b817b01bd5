"""The loop: it learns, it selects as the protocol says, and a killed training goes on to the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from made_specs import with_protocol
from tiny_training import (
    CPU,
    CROSS_ENTROPY,
    LEARNT,
    NET,
    NO_AUGMENTATION,
    CrossEntropy,
    discs,
    made_spec,
    run_training,
)
from torch import Tensor, nn

from harness.contract.spec import RunSpec
from harness.errors import PluginError
from harness.measure import clocks
from harness.measure.clocks import Phases
from harness.measure.meter import Meter
from harness.measure.provenance import hardware_class
from harness.plugins.records import Task
from harness.train import checkpoint, loop
from harness.train.batches import Resident, epoch_batches
from harness.train.loop import TrainingLog
from harness.train.stepper import Stepper
from harness.train.validate import Best, grid_dice


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every epoch, so that a test knows where a killed training goes on."""
    monkeypatch.setattr(checkpoint, "SHARE", float("inf"))


def same(a: nn.Module, b: nn.Module) -> bool:
    one, two = a.state_dict(), b.state_dict()
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("dims", [2, 3])
def test_the_loss_goes_down_and_the_disc_is_found(tmp_path: Path, dims: int, optimiser: str) -> None:
    spec = made_spec(NET, CROSS_ENTROPY, dims=dims, epochs=15, batch=2, optimiser=optimiser)
    _, trained = run_training(spec, tmp_path)
    losses = [epoch["loss"] for epoch in trained.history]
    assert losses[-1] < 0.5 * losses[0]
    assert trained.history[-1]["validation_dice"] > 0.9
    assert [epoch["epoch"] for epoch in trained.history] == list(range(1, 16))
    # Six cases of two slices, in batches of two slices (2D) or volumes (3D). The first step is warm-up.
    assert len(trained.step_s) == 15 * (6 if dims == 2 else 3) - 1


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path: Path) -> None:
    models = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        model, _ = run_training(replace(made_spec(NET, CROSS_ENTROPY), seed=seed), tmp_path / name)
        models.append(model)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


class Killed(BaseException):
    """As sudden as a signal."""


def goes_on_to_the_same_bits(
    spec: RunSpec, folder: Path, killed: Callable[[dict[str, Any]], bool]
) -> tuple[TrainingLog, TrainingLog, int]:
    """Train undisturbed, and again with a kill at the first figures that are `killed`, and on.

    Weights and history are the same. Gives both trainings, and the epoch with which the second went on.
    """
    (folder / "whole").mkdir()
    whole, expected = run_training(spec, folder / "whole")

    def kill(figures: dict[str, Any]) -> None:
        if killed(figures):
            raise Killed

    (folder / "killed").mkdir()
    with pytest.raises(Killed):
        run_training(spec, folder / "killed", report=kill)
    steps: list[dict[str, Any]] = []
    resumed, trained = run_training(spec, folder / "killed", report=steps.append)
    assert same(whole, resumed)
    assert trained.history == expected.history
    return trained, expected, steps[0]["epoch"]


@pytest.mark.parametrize(("selection", "optimiser"), [("last", "adamw"), ("best", "adamw"), ("last", "muon")])
@pytest.mark.parametrize("where", [(1, 1), (2, 3), (3, 2)])
def test_a_killed_training_goes_on_to_the_same_bits(
    tmp_path: Path, where: tuple[int, int], selection: str, optimiser: str
) -> None:
    """`where` is the epoch and step of the kill."""
    spec = made_spec(NET, CROSS_ENTROPY, selection=selection, optimiser=optimiser, schedule="one-cycle")
    spec = with_protocol(spec, augmentation=replace(NO_AUGMENTATION, flip=0.5, noise=0.2))
    trained, expected, epoch = goes_on_to_the_same_bits(
        spec, tmp_path, lambda figures: (figures["epoch"], figures["step"]) == where and "loss" not in figures
    )
    assert epoch == where[0]
    # Each attempt has a first step of its own.
    assert len(trained.step_s) in (len(expected.step_s), len(expected.step_s) - 1)


def test_a_training_goes_on_to_the_same_bits_from_however_far_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs that were done but not saved are done again."""
    monkeypatch.setattr(checkpoint, "SHARE", 0.0)
    spec = made_spec(NET, CROSS_ENTROPY, epochs=4)
    _, _, epoch = goes_on_to_the_same_bits(spec, tmp_path, lambda figures: figures["epoch"] == 4)
    assert epoch == 2


@pytest.mark.parametrize("killed", [2, 3, 4])
def test_coarse_epochs_go_on_to_the_same_bits(tmp_path: Path, killed: int) -> None:
    """Whether the kill comes before, with or after the first of the fine ones, the third."""
    coarse: dict[str, Any] = {"epochs": 4, "coarse": 0.5, "patch": [8, 8]}
    spec = made_spec(NET, CROSS_ENTROPY, optimiser="muon", schedule="one-cycle", **coarse)
    spec = with_protocol(spec, augmentation=replace(NO_AUGMENTATION, rotate_deg=20, noise=0.2))
    trained, _, epoch = goes_on_to_the_same_bits(spec, tmp_path, lambda figures: figures["epoch"] == killed)
    assert epoch == killed
    # Coarse steps are not among the timed ones, and neither is the first of the fine ones.
    per_epoch = 3
    assert len(trained.step_s) == 2 * per_epoch - (2 if killed == 4 else 1)


@pytest.mark.parametrize(("patch", "sides"), [([8, 8], [4, 4, 8]), (None, [6, 6, 12])])
def test_coarse_epochs_see_half_as_many_pixels_a_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch: list[int] | None, sides: list[int]
) -> None:
    seen: list[int] = []
    drawn_from: list[int] = []
    step, draw = Stepper.__call__, epoch_batches

    def watched(self: Stepper, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        assert images.shape[-2:] == labels.shape[-2:]
        seen.append(images.shape[-1])
        return step(self, images, labels, rate)

    def drawn(cases: Resident, *arguments: Any) -> Any:
        drawn_from.append(cases.images.shape[-1])
        return draw(cases, *arguments)

    monkeypatch.setattr(Stepper, "__call__", watched)
    monkeypatch.setattr(loop, "epoch_batches", drawn)
    spec = made_spec(NET, CROSS_ENTROPY, epochs=3, coarse=0.6, patch=patch, batch=12)
    run_training(spec, tmp_path)
    assert seen == sides
    assert drawn_from == [6, 6, 12]


def test_a_loss_with_a_state_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Running means, learnt weights and whatever a plugin draws are part of a training."""
    spec = made_spec(NET, LEARNT, epochs=4)
    goes_on_to_the_same_bits(spec, tmp_path, lambda figures: figures["epoch"] == 3)


def test_a_loss_learns_too(tmp_path: Path) -> None:
    run_training(made_spec(NET, LEARNT, epochs=2), tmp_path)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["criterion"]["weight"] != 1


def test_what_earlier_attempts_took_is_not_forgotten(tmp_path: Path) -> None:
    """A busy machine before the kill and a quiet one after it make a timing shared."""
    spec = made_spec(NET, CROSS_ENTROPY)
    first = Meter(CPU)
    busy = {"cpu_foreign": 0.9, "gpu_foreign": 0, "shared": True}
    first.resume({"contention": busy, "machines": ["another"], "host_peak": 1e6, "energy_j": 5.0})
    run_training(spec, tmp_path, meter=first)
    second = Meter(CPU)
    run_training(spec, tmp_path, meter=second)
    measured = second.measured()
    assert measured["contention"]["shared"]
    assert measured["host_peak"] == 1e6
    assert measured["machines"] == ["another", hardware_class(CPU)]
    assert measured["energy_j"] is None, "of a part only"


def test_seconds_of_the_first_attempt_are_not_forgotten(tmp_path: Path) -> None:
    spec = made_spec(NET, CROSS_ENTROPY)
    clock = Phases({"train": 100.0, "wall": 200.0})
    run_training(spec, tmp_path, clock=clock)
    later = Phases()
    run_training(spec, tmp_path, clock=later)
    assert later.seconds()["train"] >= 100
    assert later.seconds()["wall"] >= 200


def test_the_first_step_has_a_clock_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compilation is neither lost nor taken for the duration of a step."""
    now = [0.0]
    durations = [100.0, *[1.0] * 8]
    forward = CrossEntropy.forward

    def timed(self: CrossEntropy, logits: Tensor, labels: Tensor) -> Tensor:
        now[0] += durations.pop(0)
        return forward(self, logits, labels)

    monkeypatch.setattr(clocks, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(CrossEntropy, "forward", timed)
    clock = Phases()
    _, trained = run_training(made_spec(NET, CROSS_ENTROPY), tmp_path, clock=clock)
    assert trained.step_s == [1.0] * 8
    seconds = clock.seconds()
    assert (seconds["first step"], seconds["train"], seconds["wall"]) == (100, 8, 108)


def test_a_checkpoint_of_another_key_is_not_gone_on_from(tmp_path: Path) -> None:
    spec = made_spec(NET, CROSS_ENTROPY)
    run_training(spec, tmp_path)
    steps: list[dict[str, Any]] = []
    run_training(replace(spec, keys={"train": "other"}), tmp_path, report=steps.append)
    assert steps[0]["epoch"] == 1


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, dict[str, Tensor]]]:
    """Make validation give 0.2, 0.7, 0.7, 0.4 epoch by epoch, and note the weights of each look."""
    looks: list[tuple[float, dict[str, Tensor]]] = []

    def look(model: nn.Module, *_: object) -> float:
        looks.append(
            ([0.2, 0.7, 0.7, 0.4][len(looks)], {k: v.clone() for k, v in model.state_dict().items()})
        )
        return looks[-1][0]

    monkeypatch.setattr(loop, "grid_dice", look)
    return looks


@pytest.mark.parametrize(("selection", "epoch"), [("last", 4), ("best", 2)])
def test_selection_keeps_the_epoch_that_the_protocol_says(
    tmp_path: Path, dice: list[tuple[float, dict[str, Tensor]]], selection: str, epoch: int
) -> None:
    """The best is the earlier of equals."""
    model, trained = run_training(made_spec(NET, CROSS_ENTROPY, epochs=4, selection=selection), tmp_path)
    kept = model.state_dict()
    assert [figures["validation_dice"] for figures in trained.history] == [0.2, 0.7, 0.7, 0.4]
    assert [all(torch.equal(kept[k], v) for k, v in look.items()) for _, look in dice].index(
        True
    ) + 1 == epoch


def test_validation_looks_every_so_often_and_at_the_end(tmp_path: Path) -> None:
    _, trained = run_training(made_spec(NET, CROSS_ENTROPY, epochs=5, validate_every=2), tmp_path)
    assert [epoch["epoch"] for epoch in trained.history if "validation_dice" in epoch] == [2, 4, 5]


def test_training_goes_without_a_held_out_part(tmp_path: Path) -> None:
    _, trained = run_training(made_spec(NET, CROSS_ENTROPY), tmp_path, validation=None)
    assert all("validation_dice" not in epoch for epoch in trained.history)


def test_best_copies_the_weights_it_keeps() -> None:
    """Otherwise the best epoch would silently be the last."""
    net, best = nn.Linear(1, 1), Best()
    before = net.weight.detach().clone()
    best.offer(0.0, net)
    with torch.no_grad():
        net.weight += 1
    best.offer(0.0, net)
    assert best.weights is not None
    assert torch.equal(best.weights["weight"], before)


def test_validation_dice_is_that_of_scoring() -> None:
    """2 · overlap / sum, for a network that answers with a fixed half of the image."""
    cases = discs(("0", "1"))

    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            found = torch.zeros_like(x)
            found[..., :6] = 1
            return torch.cat([0.5 - found, found - 0.5], dim=1)

    expected = []
    for case in (0, 1):
        reference = cases.labels[2 * case : 2 * case + 2].bool().numpy()
        overlap = reference[..., :6].sum()
        expected.append(2 * overlap / (reference.sum() + 2 * 6 * 12))
    task = Task(2, 1, 2, (1.0, 1.0), ("LV",))
    assert grid_dice(Half(), task, cases, CPU) == pytest.approx(sum(expected) / 2, rel=1e-6)
    # A third class that neither has is left out, not counted as 0 or 1.
    wider = Task(2, 1, 3, (1.0,) * 3, ("LV", "RV"))
    model = nn.Sequential(Half(), Pad())
    assert grid_dice(model, wider, cases, CPU) == pytest.approx(sum(expected) / 2, rel=1e-6)


class Pad(nn.Module):
    """Adds a class that is never the strongest."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, torch.full_like(x[:, :1], -9)], dim=1)


def test_a_loss_that_is_not_finite_stops_training_at_the_end_of_its_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def forward(self: object, logits: Tensor, labels: Tensor) -> Tensor:
        calls.append(1)
        return logits.mean() / (0.0 if len(calls) == 5 else 1.0)

    monkeypatch.setattr("tiny_training.CrossEntropy.forward", forward)
    with pytest.raises(PluginError, match=r"the loss is -?(inf|nan) in epoch 2.*learning_rate"):
        run_training(made_spec(NET, CROSS_ENTROPY), tmp_path)
