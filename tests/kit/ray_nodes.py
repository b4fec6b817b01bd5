"""A Ray cluster of nodes on loopback, each with processes of its own, as separate machines have."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Nodes:
    """A cluster: its address, and its nodes, the head first."""

    address: str
    _cluster: Any
    nodes: list[Any]

    def holding(self, pid: int) -> int:
        """The number of the node whose process `pid` is."""
        import psutil

        above = {one.pid for one in psutil.Process(pid).parents()}
        raylets = [node.all_processes["raylet"][0].process.pid for node in self.nodes]
        return next(number for number, raylet in enumerate(raylets) if raylet in above)

    def kill(self, number: int) -> None:
        """Take a node down at once, its workers included."""
        self._cluster.remove_node(self.nodes[number], allow_graceful=False)


@contextmanager
def ray_nodes(count: int = 2, cpus: int = 1) -> Iterator[Nodes]:
    """A cluster of `count` nodes with `cpus` each, beside a head that runs nothing."""
    import pytest

    pytest.importorskip("ray", reason="needs cardiac-harness[ray]")
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A node that is gone is noticed after seconds, not after half a minute.
    system = {
        "health_check_period_ms": 500,
        "health_check_failure_threshold": 4,
        "health_check_initial_delay_ms": 0,
    }
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "_system_config": system, "include_dashboard": False},
    )
    try:
        nodes = [cluster.add_node(num_cpus=cpus, num_gpus=0) for _ in range(count)]
        yield Nodes(cluster.address, cluster, nodes)
    finally:
        cluster.shutdown()
        os.environ.clear()
        os.environ.update(before)
