"""What only Ray does: a node that dies, and resources that no node has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ray_nodes import Nodes, ray_nodes
from tiny_project import Project
from watched import progress, record, trains, wait_for


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes() as made:
        yield made


def test_a_run_moves_to_another_node_and_goes_on_from_its_checkpoint(nodes: Nodes, project: Project) -> None:
    args = ("run", "tiny", "-m", "slow[pause_s=0.6]", "-x", "ray", "--address", nodes.address)
    process = project.start(*args)
    wait_for(trains(project), "a checkpoint")
    first = progress(project)["pid"]
    # Which of the two has it, only Ray knows: the process is a child of one of their raylets.
    nodes.kill(nodes.holding(first))
    wait_for(lambda: progress(project).get("pid") != first, "another worker")
    project.hurry()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "lost the machine of slow[pause_s=0.6] + log-dice" in err
    ended = record(project)
    assert ended["attempts"] == 2
    assert [one["epoch"] for one in ended["history"]] == [1, 2, 3, 4]
    assert progress(project)["pid"] != first
    # The leaderboard is that of a run that nothing happened to.
    scores = next(project.root.glob("runs/slow*/cases.jsonl")).read_bytes()
    undisturbed = project("run", "tiny", "-m", "slow[pause_s=0.6]", "--runs", "elsewhere")
    assert undisturbed.code == 0, undisturbed.err
    assert next(project.root.glob("elsewhere/slow*/cases.jsonl")).read_bytes() == scores


def test_what_no_node_has_is_told_before_anything_waits_for_it(nodes: Nodes, project: Project) -> None:
    with (project.root / "harness.toml").open("a") as file:
        file.write('\n[resources."tiny-net"]\ncpus = 64\nmemory_gib = 0.5\n')
    done = project("run", "tiny", "-m", "tiny-net", "-x", "ray", "--address", nodes.address)
    assert done.code == 2
    assert "no node of the cluster has the requested resources: 64 CPU" in done.err
    assert "[resources.MODEL]" in done.err


def test_a_cluster_that_is_not_there_is_told_in_one_line(project: Project) -> None:
    pytest.importorskip("ray")
    done = project("run", "tiny", "-x", "ray", "--address", "127.0.0.1:1")
    assert done.code == 2
    assert (
        done.err.strip().splitlines()[-1].startswith("harness: executor ray: can't reach Ray at 127.0.0.1:1")
    )
