"""`harness leaderboard` where something is missing or only a part is wanted."""

import json
from collections.abc import Callable

import pytest
from tiny_project import Project

Copier = Callable[[Project], Project]


def test_records_are_shown_without_the_plugins_that_made_them(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    before = project("leaderboard", "tiny", "--json")
    file = project.root / "harness_plugins.py"
    file.write_text(
        file.read_text().replace('    yield Model("tiny-net-3d"', '    False and Model("tiny-net-3d"')
    )
    after = project("leaderboard", "tiny", "--json")
    assert (after.code, json.loads(after.out)) == (0, json.loads(before.out))
    assert project("compare", "tiny-net+log-dice", "tiny-net-3d+log-dice").code == 0
    # What is to be run must be there.
    refused = project("run", "tiny")
    assert refused.code == 2
    assert "no model 'tiny-net-3d'" in refused.err


def test_a_selection_limits_json_too(done_project: Project) -> None:
    shown = json.loads(done_project("leaderboard", "tiny", "-m", "tiny-net-3d", "--json").out)
    everything = json.loads(done_project("leaderboard", "tiny", "--json").out)
    assert [entry["model"] for entry in shown["entries"]] == ["tiny-net-3d"]
    assert [entry for entry in everything["entries"] if entry["model"] == "tiny-net-3d"] == shown["entries"]


def test_a_wrong_view_is_told_whatever_else_is_asked_for(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    picture = project.root / "table.svg"
    assert project("leaderboard", "tiny", "--json", "--view", "dise", "--svg", str(picture)).code == 2
    assert not picture.exists()
    done = project("leaderboard", "tiny", "--json", "--svg", str(picture))
    assert json.loads(done.out)["leaderboard"] == "tiny"
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--view dice --worst 3", "--view: cannot be combined with --worst"),
        ("--view dice --against patravali2017", "--view: cannot be combined with --against"),
        ("--sort model --against patravali2017", "--sort: cannot be combined with --against"),
        ("--view dice --json", "--view: cannot be combined with --json"),
        ("--worst 3 --format json", "--worst: cannot be combined with --format json"),
        ("--columns model --json", "--columns: cannot be combined with --json"),
        ("--sort model --json", "--sort: cannot be combined with --json"),
        ("--json --format csv", "--json: cannot be combined with --format csv"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(done_project: Project, options: str, told: str) -> None:
    done = done_project("leaderboard", "tiny", *options.split())
    assert (done.code, done.out, done.err) == (2, "", f"harness: {told}\n")


def test_any_set_keeps_tables_of_its_own(done_project: Project, copy_of: Copier) -> None:
    """Also what moves no score, such as seeds or the metric that ranks, must not rewrite committed tables."""
    project = copy_of(done_project)
    folder = project.root / "leaderboards" / "tiny"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert project("leaderboard", "tiny", "--set", "protocol.rank_by=['hd']").code == 0
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_misspelt_dataset_after_data_is_told(done_project: Project) -> None:
    done = done_project("plan", "tiny", "--data", "tinny=/somewhere")
    assert done.code == 2
    assert "Did you mean 'tiny'" in done.err


def test_compare_names_what_it_does_not_find(done_project: Project) -> None:
    done = done_project("compare", "tiny-nt+log-dice", "tiny-net-3d+log-dice")
    assert done.code == 2
    assert "'tiny-nt+log-dice'" in done.err
    assert "'tiny-net-3d+log-dice'" not in done.err
    assert "Did you mean 'tiny-net + log-dice'" in done.err
