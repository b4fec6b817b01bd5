"""The suite finds seeded mistakes: each broken plugin by the check of its mistake, and by no other."""

from __future__ import annotations

import broken_datasets
import broken_losses
import broken_models
import pytest

from harness import Dataset, Loss, Model
from harness.testing import Subject, checks_for, run_checks

MODELS, LOSSES, DATASETS = (
    module.MISTAKES.found_by for module in (broken_models, broken_losses, broken_datasets)
)


def model(name):
    dims = broken_models.MISTAKES.options.get(name, {}).get("dims", 2)
    return Model(name.lower(), f"broken_models:{name}", dims, "a broken model")


def loss(name):
    return Loss(name.lower(), f"broken_losses:{name}", "a broken loss")


def dataset(name):
    return Dataset(
        name.lower(),
        f"broken_datasets:{name}",
        "a broken dataset",
        structures=broken_datasets.STRUCTURES,
        phases=broken_datasets.PHASES,
    )


def failed(record, root=None):
    """The checks that fail. Each says what to do, and where: the broken file, not the harness."""
    outcomes = [one for one in run_checks(Subject(record, root=root)) if one.state == "failed"]
    for one in outcomes:
        assert one.found
        assert one.remedy
        assert "harness/" not in one.found
    return {one.check for one in outcomes}


@pytest.mark.parametrize("name", MODELS)
def test_a_broken_model_is_found_by_the_check_of_its_mistake(name):
    assert failed(model(name)) == set(MODELS[name])


@pytest.mark.parametrize("name", LOSSES)
def test_a_broken_loss_is_found_by_the_check_of_its_mistake(name):
    assert failed(loss(name)) == set(LOSSES[name])


@pytest.mark.parametrize("name", DATASETS)
def test_a_broken_dataset_is_found_by_the_check_of_its_mistake(name, tmp_path):
    assert failed(dataset(name), tmp_path) == set(DATASETS[name])


@pytest.mark.parametrize(
    "record",
    [
        *map(model, ("sound", "Scratch", "MovesItself")),
        *map(loss, ("Sound", "PartlySingle")),
        *map(dataset, ("Hearts", "Files", "Lambda")),
    ],
    ids=lambda record: record.name,
)
def test_what_the_broken_ones_are_made_from_is_sound(record, tmp_path):
    assert failed(record, tmp_path) == set()


@pytest.mark.parametrize(("kind", "mistakes"), [("model", MODELS), ("loss", LOSSES), ("dataset", DATASETS)])
def test_every_check_finds_a_mistake(kind, mistakes):
    """A check that finds nothing could go without anybody noticing."""
    judging = {check.id for check in checks_for(kind) if not check.informs}
    # Those two are about the module that registers: see test_registration.py.
    assert {found[0] for found in mistakes.values()} == judging - {"registration", "light"}
