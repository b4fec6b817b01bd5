"""`harness status`, `cancel`, `retry` and `merge` as a user types them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tiny_project import Project, make_project

Copier = Callable[[Project], Project]


def test_what_is_done_is_counted_and_listed_if_wanted(done_project: Project) -> None:
    assert done_project("status").out.strip() == "2 runs: 2 done"
    assert done_project("status", "tiny").out.strip() == "2 runs: 2 done"
    every = done_project("status", "--all").out
    assert "tiny-net-3d + log-dice" in every
    assert done_project("status", "--run", "*net-3d*").out.strip() == "1 runs: 1 done"
    # Everything has ended: watching ends too.
    assert done_project("status", "--watch").out.strip() == "2 runs: 2 done"
    assert [one["state"] for one in json.loads(done_project("status", "--json").out)] == ["done", "done"]


def test_what_there_is_none_of_is_told_in_one_line(done_project: Project, project: Project) -> None:
    done = done_project("status", "tyni")
    assert (done.code, done.out) == (2, "")
    assert "no runs of 'tyni'" in done.err
    assert "tiny" in done.err.partition("no runs")[2]
    nothing = project("status")
    assert nothing.code == 2
    assert "no such folder of runs" in nothing.err
    which = done_project("cancel")
    assert which.code == 2
    assert "no runs are selected" in which.err


def test_cancelling_what_is_done_changes_nothing(done_project: Project) -> None:
    done = done_project("cancel", "tiny")
    assert (done.code, done.out) == (0, "stopped 0 of 0 runs; harness run continues them\n")
    assert done_project("status").out.strip() == "2 runs: 2 done"


def test_a_damaged_neighbour_hides_no_run_and_is_shown(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    (project.root / "runs" / "half").mkdir()
    (project.root / "runs" / "half" / "spec.json").write_text("{")
    shown = project("status").out
    assert shown.strip().endswith("3 runs: 1 failed, 2 done")
    assert "half" in shown
    assert "its spec can't be read" in shown
    assert project("status", "tiny").out.strip() == "2 runs: 2 done"


def test_a_run_that_two_leaderboards_share_is_of_both(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    with (project.root / "harness.toml").open("a") as file:
        file.write(
            '\n[leaderboard.second]\nprotocol = "tiny"\nmodels = ["tiny-net"]\nlosses = ["log-dice"]\n'
            'datasets = ["tiny"]\n'
        )
    assert project("run", "second").code == 0
    assert project("status", "second").out.strip() == "1 runs: 1 done"
    assert project("status", "tiny").out.strip() == "2 runs: 2 done"


def test_retry_takes_only_failures_and_only_those_that_are_blamed(
    done_project: Project, copy_of: Copier
) -> None:
    project = copy_of(done_project)
    named = ("-m", "raises", "-m", "tiny-net")
    assert project("run", "tiny", *named).code == 1
    nothing = project("retry", "tiny", "--blame", "resource", *named)
    assert nothing.code == 0
    assert "tiny: 0 runs (none)" in nothing.err
    again = project("retry", "tiny", "--blame", "plugin", *named)
    assert again.code == 1
    assert "tiny: 1 runs (1 failed)" in again.err
    assert "FAILED raises + log-dice" in again.err


def test_records_of_two_machines_make_one_leaderboard(done_project: Project, tmp_path: Path) -> None:
    other = make_project(tmp_path / "other")
    merged = other("merge", str(done_project.root))
    assert (merged.code, merged.out) == (0, "2 runs copied, 0 identical to runs here\n")
    mine, theirs = (one("leaderboard", "tiny", "--json").out for one in (other, done_project))
    assert mine == theirs
    again = other("merge", str(done_project.root / "leaderboards" / "tiny"))
    assert again.out == "0 runs copied, 2 identical to runs here\n"
    (run, _) = other.run_folders()
    cases = run / "cases.jsonl"
    cases.write_text(cases.read_text().replace('"value":0.', '"value":0.1', 1))
    refused = other("merge", str(done_project.root))
    assert refused.code == 2
    assert f"refused {run.name}: also done here, with other scores" in refused.out
    shutil.rmtree(run)
    assert other("merge", str(done_project.root)).out == "1 runs copied, 1 identical to runs here\n"
