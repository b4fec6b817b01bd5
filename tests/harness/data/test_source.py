"""A dataset plugin that breaks its contract is told so by name, in one line, before anything runs."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_specs import run_spec

from harness.data.case import Case, Volume
from harness.data.source import Source, open_record, open_source, open_spec
from harness.errors import DataError, HarnessError, PluginError
from harness.plugins.records import Dataset

Opener = Callable[..., Source]


def case(id_: Any = "p1_ED", patient: Any = "p1") -> Case:
    return Case(id_, patient, "ED", lambda: Volume(np.zeros((1, 1, 2, 2), np.float32), None, (1.0, 1.0, 1.0)))


class Made:
    """What a plugin's target gives; tests spoil it."""

    def __init__(self, cases: Any, **own: Any) -> None:
        self._cases = cases
        vars(self).update(own)

    def cases(self) -> Any:
        return self._cases


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Open a plugin module whose target ``my_dataset:load`` is the given function."""

    def opens(load: Any, structures: Any = None, **params: Any) -> Source:
        (tmp_path / "my_dataset.py").write_text("load = None\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr("my_dataset.load", load)
        return open_source(
            "my_dataset:load",
            tmp_path,
            params,
            name="mine",
            structures={"LV": 3} if structures is None else structures,
            phases=("ED",),
        )

    yield opens
    # The next test writes a module of the same name elsewhere.
    sys.modules.pop("my_dataset", None)


def refusal(opened: Opener, load: Any, kind: type[HarnessError] = PluginError, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        opened(load, **more)
    line = str(caught.value)
    assert "mine" in line
    assert "\n" not in line
    return line


def test_target_gets_the_root_and_its_parameters(opened: Opener, tmp_path: Path) -> None:
    got: list[Any] = []

    def load(root: Path, size: int) -> Made:
        got.extend([root, size])
        return Made(iter([case()]))

    source = opened(load, size=7)
    assert got == [tmp_path, 7]
    assert [each.id for each in source.cases] == ["p1_ED"]
    assert (source.structures, source.phases) == ({"LV": 3}, ("ED",))


def test_what_the_files_tell_wins_over_the_record(opened: Opener) -> None:
    """A dataset without phases of its own keeps those of the record."""
    source = opened(lambda root: Made([case()], structures={"b": 2, "a": 1}, phases=["ES"]))
    assert list(source.structures.items()) == [("b", 2), ("a", 1)]
    assert source.phases == ("ES",)


def test_record_and_spec_open_the_same(tmp_path: Path) -> None:
    root = tmp_path / "hearts"
    target = "harness_cardiac.phantom:Phantom"
    params = {"train": 1, "test": 1, "seed": 0}
    record = Dataset("made", target, "made hearts", structures={"LV": 3}, phases=("ED",))
    spec = run_spec(dataset="made", structures={"LV": 3}, phases=("ED",)).dataset
    spec = replace(spec, target=target, params=params)
    first, second = open_record(record, root, params), open_spec(spec, root)
    assert [each.id for each in first.cases] == [each.id for each in second.cases]
    assert (first.structures, first.phases) == (second.structures, second.phases)


def test_target_that_fails(opened: Opener) -> None:
    def fails(root: Path) -> Made:
        raise RuntimeError("two\nlines")

    assert "RuntimeError: two lines" in refusal(opened, fails)
    assert "TypeError" in refusal(opened, lambda root: Made([case()]), unknown=1)
    assert "is not callable" in refusal(opened, "not a function")
    assert "AttributeError" in refusal(opened, lambda root: [case()])


def test_cases_that_fail_half_way(opened: Opener) -> None:
    def cases() -> Any:
        yield case()
        raise KeyError("p2")

    assert "KeyError: 'p2'" in refusal(opened, lambda root: Made(cases()))


def test_what_the_dataset_says_of_its_files_stays_as_it_is(opened: Opener) -> None:
    """A missing file is the user's to mend, not a broken plugin."""

    def missing(root: Path) -> Made:
        raise DataError("Info.cfg is missing", where="mine")

    assert refusal(opened, missing, DataError) == "mine: Info.cfg is missing"


def test_cases_of_another_kind(opened: Opener) -> None:
    assert "cases() returned a str, expected Case" in refusal(opened, lambda root: Made(["p1"]))


@pytest.mark.parametrize("id_", ["", " ", None, 7, "a/b", "a\\b", "..", "."])
def test_id_that_can_not_name_a_file(id_: Any, opened: Opener) -> None:
    """Predictions are saved under it: ``..`` would leave the run's folder."""
    refusal(opened, lambda root: Made([case(id_)]))


@pytest.mark.parametrize("patient", ["", None, 7])
def test_patient_without_a_name(patient: Any, opened: Opener) -> None:
    refusal(opened, lambda root: Made([case(patient=patient)]))


@pytest.mark.parametrize(
    "structures",
    [{"LV": 0}, {"LV": 256}, {"LV": -1}, {"a": 1, "b": 1}, {"LV": "3"}, {"LV": 1.5}, {"LV": None}, ["LV"], 7],
)
def test_structures_that_are_no_label_values(structures: Any, opened: Opener) -> None:
    assert "structures" in refusal(opened, lambda root: Made([case()], structures=structures))


def test_no_structures_at_all(opened: Opener) -> None:
    assert "at least one label value" in refusal(opened, lambda root: Made([case()]), structures={})
