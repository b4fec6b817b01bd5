"""Where an observer's library is not installed, a note says what to install, once, and runs go on."""

import sys
from pathlib import Path

import pytest

from harness.plugins.manager import load
from harness_observers.run_values import scores

RUN = {"run_id": "r", "leaderboard": "quick"}


@pytest.mark.parametrize(
    ("name", "modules"),
    [("tensorboard", ("tensorboard", "torch.utils.tensorboard")), ("mlflow", ("mlflow",))],
)
def test_a_missing_library_is_one_note(
    name: str, modules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in modules:
        # None makes an import of it fail as if it were not there.
        monkeypatch.setitem(sys.modules, module, None)
    registry, places = load(), {name: str(tmp_path / "place")}
    (note,) = registry.notify("harness_run_started", places, run=RUN)
    assert note.endswith(f"Install it: pip install 'cardiac-harness[{name}]'.")
    assert registry.notify("harness_epoch_ended", places, run=RUN, epoch={"epoch": 1, "loss": 1.0}) == []
    record = {"status": "done", "failure": None, "history": []}
    assert registry.notify("harness_run_finished", places, run=RUN, record=record, cases=[]) == []


def test_scores_without_a_value_are_left_out_and_penalties_count() -> None:
    rows = [("dice", "LV", 0.9), ("dice", "LV", 0.0), ("dice", "LV", None), ("dice", "RV", 0.5)]
    cases = [dict(zip(("metric", "structure", "value"), row, strict=True)) for row in rows]
    assert scores(cases) == {"test/dice/LV": 0.45, "test/dice/RV": 0.5, "test/dice": 0.475}
