"""The suite in an author's own tests."""

from __future__ import annotations

import broken_datasets
import broken_models
import numpy as np
import pytest

from harness import Dataset, Model
from harness.testing import CheckFailed, checks_for, parametrize_with_checks

SOUND = Model("sound", "broken_models:sound", 2, "a model")


def bound(given, **options):
    """The checks by id that a test's argument takes."""
    mark = parametrize_with_checks(given, **options)
    name, checks = mark.args
    assert name == "check"
    return {mark.kwargs["ids"](check): check for check in checks}


@parametrize_with_checks(SOUND)
def test_contract(check):
    """As an author writes it."""
    check()


def test_a_broken_plugin_fails_the_test_of_its_mistake():
    checks = bound(Model("net", "broken_models:NoPadding", 2, "a model"))
    with pytest.raises(CheckFailed, match="Pad the input") as caught:
        checks["net-odd-sizes"]()
    # The author sees the plugin's own traceback above the check's.
    assert "broken_models.py" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)
    checks["net-shapes"]()


def test_what_can_not_be_judged_is_skipped_with_the_reason():
    checks = bound(Model("net", "broken_models:takes_no_task", 2, "a model"))
    with pytest.raises(pytest.skip.Exception, match="needs 'builds'"):
        checks["net-gradients"]()


def test_all_plugins_of_a_list_are_checked_in_order():
    ids = list(bound([SOUND, Model("deep", "broken_models:sound", 3, "a model")]))
    per = [check.id for check in checks_for("model")]
    assert ids == [f"{name}-{id_}" for name in ("sound", "deep") for id_ in per]


def test_parameters_for_the_test_are_taken(monkeypatch):
    made = []

    def noted(task, width):
        made.append(width)
        return broken_models.Net(task)

    monkeypatch.setattr(broken_models, "noted", noted, raising=False)
    record = Model("net", "broken_models:noted", 2, "a model", defaults={"width": 512})
    bound(record, params={"net": {"width": 2}})["net-builds"]()
    assert set(made) == {2}


def test_a_dataset_takes_a_folder_a_function_or_the_environment(tmp_path, monkeypatch):
    record = Dataset(
        "a.set", "broken_datasets:Files", "hearts", structures=broken_datasets.STRUCTURES, phases=("ED",)
    )
    bound(record, roots={"a.set": tmp_path})["a.set-reads"]()
    assert np.load(tmp_path / "p0_image.npy").shape == (1, 3, 8, 8)

    filled = []
    check = bound(record, roots={"a.set": filled.append})["a.set-reads"]
    assert filled == [], "nothing is written before the check is run"
    check()
    (folder,) = filled
    assert (folder / "p0_image.npy").is_file()
    del check
    assert not folder.exists()

    (tmp_path / "told").mkdir()
    monkeypatch.setenv("HARNESS_A_SET_ROOT", str(tmp_path / "told"))
    bound(record)["a.set-reads"]()
    assert (tmp_path / "told" / "p0_image.npy").is_file()
