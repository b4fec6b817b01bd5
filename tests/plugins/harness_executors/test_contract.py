"""One contract for every executor: what a run comes to does not depend on where it happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ray_nodes import ray_nodes
from slurm_site import slurm_site
from tiny_project import Command, Project
from watched import progress, record, trains, wait_for

SLOW = ("-m", "slow[pause_s=0.6]")


@dataclass(frozen=True)
class Site:
    """An executor as commands name it."""

    name: str
    args: tuple[str, ...]

    def run(self, project: Project, *more: str) -> Command:
        return project("run", "tiny", *more, *self.args)

    def start(self, project: Project, *more: str) -> subprocess.Popen[str]:
        return project.start("run", "tiny", *more, *self.args)


@pytest.fixture(scope="module", params=["inline", "local", "ray", "slurm"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if request.param == "ray":
        with ray_nodes() as nodes:
            yield Site("ray", ("-x", "ray", "--address", nodes.address))
    elif request.param == "slurm":
        with slurm_site(tmp_path_factory.mktemp("slurm") / "site"):
            yield Site("slurm", ("-x", "slurm[poll_s=0.5]"))
    else:
        yield Site(request.param, ("-x", request.param))


def status(project: Project) -> list[str]:
    return [one["state"] for one in json.loads(project("status", "tiny", "--json").out)]


def test_a_run_comes_to_the_same_as_on_this_machine(
    site: Site, project: Project, done_project: Project
) -> None:
    done = site.run(project)
    assert done.code == 0, done.err
    assert [run.name for run in project.run_folders()] == [run.name for run in done_project.run_folders()]
    for here, there in zip(project.run_folders(), done_project.run_folders(), strict=True):
        assert (here / "cases.jsonl").read_bytes() == (there / "cases.jsonl").read_bytes()
    assert status(project) == ["done", "done"]
    again = site.run(project)
    assert again.code == 0
    assert "tiny: 2 runs (2 done)" in again.err


def test_a_plugins_error_is_told_with_its_line(site: Site, project: Project) -> None:
    done = site.run(project, "-m", "raises")
    assert done.code == 1
    assert "FAILED raises + log-dice: model raises (harness_plugins.py:" in done.err
    assert record(project)["failure"]["blame"] == "plugin"
    shown = project("status")
    assert "✗ failed" in shown.out
    assert "plugin: model raises" in shown.out


def test_a_run_that_takes_too_long_ends_and_is_told(site: Site, project: Project) -> None:
    done = site.run(project, "-m", "slow[pause_s=1.5]", "--timeout", "4")
    assert done.code == 1
    ended = record(project)
    assert (ended["status"], ended["failure"]["blame"]) == ("timeout", "resource")
    assert "4 s (--timeout)" in ended["failure"]["message"]


def test_what_is_cancelled_stops_and_goes_on_when_asked_for_again(site: Site, project: Project) -> None:
    process = site.start(project, *SLOW)
    wait_for(trains(project), "a checkpoint")
    cancelled = project("cancel", "tiny")
    assert (cancelled.code, cancelled.out) == (0, "stopped 1 of 1 runs; harness run continues them\n")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "cancelled slow[pause_s=0.6] + log-dice" in err
    assert status(project) == ["cancelled"]
    project.hurry()
    again = site.run(project, *SLOW)
    assert again.code == 0, again.err
    assert record(project)["attempts"] == 2
    assert [one["epoch"] for one in record(project)["history"]] == [1, 2, 3, 4]


def test_a_killed_worker_is_told_and_the_next_run_goes_on(site: Site, project: Project) -> None:
    if site.name == "inline":
        pytest.skip("the worker is the command itself")
    process = site.start(project, *SLOW)
    wait_for(trains(project), "a checkpoint")
    os.kill(progress(project)["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert record(project)["failure"]["blame"] == "resource"
    assert "SIGKILL" in record(project)["failure"]["message"]
    project.hurry()
    retried = project("retry", "tiny", "--blame", "resource", *SLOW, *site.args)
    assert retried.code == 0, retried.err
    assert [one["epoch"] for one in record(project)["history"]] == [1, 2, 3, 4]


def test_a_killed_command_loses_nothing(site: Site, project: Project) -> None:
    process = site.start(project, *SLOW)
    wait_for(trains(project), "a checkpoint")
    process.kill()
    process.communicate()
    project.hurry()
    again = site.run(project, *SLOW)
    assert again.code == 0, again.err
    ended = record(project)
    # A queue of its own goes on without the command; elsewhere the worker stops with it.
    assert ended["attempts"] == (1 if site.name == "slurm" else 2)
    assert [one["epoch"] for one in ended["history"]] == [1, 2, 3, 4]
