"""Plans: which runs a leaderboard has, what their keys depend on, and the reasons a user is given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_project import make_project

from harness import Model
from harness.config.load import load
from harness.config.settings import LeaderboardSettings
from harness.contract.record import Failure, PluginProvenance
from harness.contract.spec import RunSpec
from harness.errors import ConfigError, PluginError
from harness.plan.choice import Choice, choose, parse, select
from harness.plan.explain import compare, nearest_run
from harness.plan.matrix import Selection, expand
from harness.plan.plan import Plan, make_plan
from harness.plugins import manager
from harness.plugins.manager import Registered, Registry
from harness.store.record import Record
from harness.store.runs import RunsFolder

Planner = Callable[..., Plan]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project").root


@pytest.fixture
def registry(root: Path) -> Registry:
    return manager.load([root / "harness_plugins.py"])


@pytest.fixture
def plan(root: Path, registry: Registry) -> Planner:
    def make(*overrides: str, **selection: list[str]) -> Plan:
        project = load(root / "harness.toml", "tiny", overrides)
        settings, protocol = project.leaderboard("tiny")
        matrix = expand(registry, settings, Selection(**selection))
        return make_plan(project, "tiny", protocol, matrix, RunsFolder(root / "runs"), data_roots={})

    return make


def spec(plan: Planner, *overrides: str, model: str = "tiny-net") -> RunSpec:
    (run,) = plan(*overrides, models=[model]).runs
    return run.spec


@pytest.mark.parametrize(
    ("text", "name", "params"),
    [
        ("unet2d", "unet2d", {}),
        ("unet2d[base=8]", "unet2d", {"base": 8}),
        ("x[a=1, b=true,c=word]", "x", {"a": 1, "b": True, "c": "word"}),
        ("x[a=[1, 2],b=0.5]", "x", {"a": [1, 2], "b": 0.5}),
        ("unet[23]d", "unet[23]d", {}),
        # Patterns, with the quotes that the shell, TOML or habit puts around them.
        (r"nifti[patient=^(p_\d+)]", "nifti", {"patient": r"^(p_\d+)"}),
        (r'nifti[patient="^(p_\d+)"]', "nifti", {"patient": r"^(p_\d+)"}),
        (r"nifti[patient='\bp[0-9]', phase='ED']", "nifti", {"patient": r"\bp[0-9]", "phase": "ED"}),
        (r'nifti[patient="p,[",phase=""]', "nifti", {"patient": "p,[", "phase": ""}),
        ("x[a=it's,b=1]", "x", {"a": "it's", "b": 1}),
        ("x[a='3',b=3]", "x", {"a": "3", "b": 3}),
        ('x[a=["1,5", "]"],b=3]', "x", {"a": ["1,5", "]"], "b": 3}),
    ],
)
def test_variants_are_parsed_and_globs_left_alone(text: str, name: str, params: dict[str, Any]) -> None:
    assert parse(text) == (name, params)


@pytest.mark.parametrize("text", ["x[a=1", "x[a=1,b]", "x[=1]"])
def test_broken_variants_are_errors(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text)


def test_a_label_names_only_what_differs_from_the_defaults(registry: Registry) -> None:
    assert choose(registry, "model", "tiny-net[maps=8]").label == "tiny-net"
    assert choose(registry, "model", "tiny-net[maps=3]").label == "tiny-net[maps=3]"
    with pytest.raises(PluginError, match="Did you mean 'maps'"):
        choose(registry, "model", "tiny-net[mops=3]")


@pytest.mark.parametrize(
    "value", [r"^(p_\d+)", "3", "true", "", " a", "p,q", "[", "it's", "'", """a'b"c""", "a=b"]
)
def test_a_label_is_read_back_as_the_same_text(value: str) -> None:
    """Else two entries would share a label, or a label could not be given to -m."""
    record = Model("net", "a:b", 2, "a net", defaults={"text": "default", "more": 0})
    plugin = Registered(record, "model", "made-up", "1", "a")
    params = {"text": value, "more": 1}
    assert parse(Choice(plugin, params).label) == ("net", params)


def test_variants_are_entries_of_their_own_however_they_come(registry: Registry) -> None:
    board = LeaderboardSettings(
        protocol="tiny",
        models=("tiny-net", "tiny-net[maps=2]", "tiny-net[maps=8]"),
        losses=("log-dice",),
        datasets=("tiny",),
    )

    def models(*patterns: str) -> tuple[list[str], list[str]]:
        matrix = expand(registry, board, Selection(models=patterns))
        return tuple([e.model.label for e in part] for part in (matrix.entries, matrix.selected))  # type: ignore[return-value]

    # 8 is the default.
    listed = ["tiny-net", "tiny-net[maps=2]"]
    assert models() == (listed, listed)
    assert models("tiny-net[maps=2]") == (listed, ["tiny-net[maps=2]"])
    assert models("tiny-net[ maps = 8 ]") == (listed, ["tiny-net"])
    assert models("tiny-net[maps=4]") == ([*listed, "tiny-net[maps=4]"], ["tiny-net[maps=4]"])


def test_patterns_select_what_is_listed_and_let_others_join(registry: Registry) -> None:
    def labels(*patterns: str) -> tuple[list[str], list[str]]:
        board, chosen = select(registry, "model", ["tiny-net[maps=4]", "unet2d[base=8]"], patterns)
        return [c.label for c in board], [c.label for c in chosen]

    listed = ["tiny-net[maps=4]", "unet2d[base=8]"]
    assert labels() == (listed, listed)
    assert labels("tiny-net") == (listed, ["tiny-net[maps=4]"])
    assert labels("unet*") == ([*listed, "unet3d"], ["unet2d[base=8]", "unet3d"])
    assert labels("slow") == ([*listed, "slow"], ["slow"])
    assert labels("tiny-net[maps=2]") == ([*listed, "tiny-net[maps=2]"], ["tiny-net[maps=2]"])
    assert labels("unet2d[base=8]", "unet2d") == (listed, ["unet2d[base=8]"])
    with pytest.raises(PluginError, match="no model"):
        labels("nothing*")


def test_a_model_that_joins_joins_only_with_the_losses_it_was_named_with(registry: Registry) -> None:
    board = LeaderboardSettings(
        protocol="p", models=("tiny-net",), losses=("log-dice", "cross-entropy"), datasets=("tiny",)
    )
    matrix = expand(registry, board, Selection(models=["slow"], losses=["log-dice"]))
    assert {e.label for e in matrix.selected} == {"slow + log-dice"}
    assert {e.label for e in matrix.entries} == {
        "slow + log-dice",
        "tiny-net + log-dice",
        "tiny-net + cross-entropy",
    }


def test_keys_move_with_what_moves_results_and_with_nothing_else(plan: Planner) -> None:
    base = spec(plan).keys

    def moved(*overrides: str, model: str = "tiny-net") -> set[str]:
        keys = spec(plan, *overrides, model=model).keys
        return {name for name in ("prepare", "train", "score") if keys[name] != base[name]}

    assert moved() == set()
    assert moved("protocol.rank_by=['hd']") == set()
    assert moved("protocol.keep_predictions=true") == set()
    assert moved("protocol.epochs.3d=9") == set()
    assert moved("protocol.depth=2") == set()
    assert moved("protocol.metrics=['dice']") == {"score"}
    assert moved("protocol.largest_component=false") == {"score"}
    assert moved("protocol.epochs=9") == {"train", "score"}
    assert moved("protocol.seeds=[1]") == {"train", "score"}
    assert moved("protocol.validation=0.4") == {"train", "score"}
    assert moved(model="tiny-net[maps=2]") == {"train", "score"}
    assert moved("protocol.spacing_mm=2") == {"prepare", "train", "score"}
    assert moved("leaderboard.datasets=['tiny[patients=6]']") == {"prepare", "train", "score"}


def test_keys_do_not_depend_on_where_things_lie(plan: Planner, tmp_path: Path) -> None:
    other = make_project(tmp_path / "elsewhere").root
    project = load(other / "harness.toml")
    settings, protocol = project.leaderboard("tiny")
    registry = manager.load([other / "harness_plugins.py"])
    matrix = expand(registry, settings, Selection(models=["tiny-net"]))
    elsewhere = make_plan(project, "tiny", protocol, matrix, RunsFolder(tmp_path / "r"), data_roots={})
    assert elsewhere.runs[0].spec == spec(plan)


def test_states_and_reasons(plan: Planner, root: Path) -> None:
    runs = RunsFolder(root / "runs")

    def state(*overrides: str) -> tuple[str, str]:
        (run,) = plan(*overrides, models=["tiny-net"]).runs
        return run.state, run.reason

    def action(*overrides: str) -> str:
        (run,) = plan(*overrides, models=["tiny-net"]).runs
        return run.action

    assert (*state(), action()) == ("waiting", "never run", "train")
    (planned,) = plan(models=["tiny-net"]).runs
    folder = runs.run(planned.id)
    folder.plan(planned.spec, planned.local)
    assert state() == ("waiting", "planned before, not started")
    (folder.path / "checkpoint.pt").write_bytes(b"x")
    folder.beat({"epoch": 3})
    assert state() == ("stopped", "stopped in epoch 3")
    assert action() == "continue"
    with folder.locked():
        assert state()[0] == "running"
    folder.finish(Record(planned.id, planned.spec.keys, planned.spec, "done"))
    assert state() == ("done", "recorded")
    more = ("protocol.metrics=['dice']", "protocol.keep_predictions=true")
    assert [(state(one)[0], action(one)) for one in more] == [("outdated", "continue")] * 2
    assert state(more[1])[1] == "its predictions were not kept, and its weights are missing"
    folder.weights.touch()
    assert [(state(one)[0], action(one)) for one in more] == [("outdated", "predict")] * 2
    assert state("protocol.epochs=9")[1].startswith("protocol.epochs was 4, is 9; compared with tiny-net__")
    failure = Failure("train", "plugin", "went wrong")
    folder.finish(Record(planned.id, planned.spec.keys, planned.spec, "failed", failure))
    assert (*state(), action()) == ("failed", "went wrong", "predict")


def test_code_that_changed_without_a_new_version_shows_as_stale(plan: Planner, root: Path) -> None:
    (planned,) = plan(models=["tiny-net"]).runs
    plugins = {"model": PluginProvenance("tiny-net", 1, "", "0123")}
    RunsFolder(root / "runs").run(planned.id).plan(planned.spec, planned.local)
    RunsFolder(root / "runs").run(planned.id).finish(
        Record(planned.id, planned.spec.keys, planned.spec, "done", plugins=plugins)
    )
    (run,) = plan(models=["tiny-net"]).runs
    assert run.state == "done"
    assert "stale? the code of tiny-net changed" in run.reason


def test_the_nearest_run_is_the_one_with_the_fewest_differences(plan: Planner, root: Path) -> None:
    runs = RunsFolder(root / "runs")
    for overrides in (("protocol.epochs=9", "protocol.batch=2"), ("protocol.epochs=9",)):
        (run,) = plan(*overrides, models=["tiny-net"]).runs
        runs.run(run.id).plan(run.spec, run.local)
    found = nearest_run(spec(plan), runs.all())
    assert found is not None
    assert found[1] == [("protocol.epochs", 9, 4)]
    assert compare(spec(plan, "protocol.crop=[16, 16]"), spec(plan)) == [
        ("protocol.crop", [16, 16], [24, 24])
    ]


def test_folds_and_seeds_multiply(plan: Planner) -> None:
    made = plan("protocol.split='folds'", "protocol.folds=2", "protocol.seeds=[0, 5]", models=["tiny-net"])
    assert [(run.seed, run.fold) for run in made.runs] == [(0, 0), (0, 1), (5, 0), (5, 1)]
    assert len({run.id for run in made.runs}) == 4
    some = plan("protocol.split='folds'", "protocol.folds=2", "protocol.run_folds=[1]", models=["tiny-net"])
    assert [run.id for run in some.runs] == [made.runs[1].id]
