"""Contestants in processes of their own that take turns, so that a busy machine slows all alike.

Own processes, because some of what a worker is started with (its allocator) holds for a whole
process, and the plain way must not profit from it. Only one computes at a time.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.execute.local import worker_environment

KIT = Path(__file__).parents[1]
Figures = dict[str, Any]


class Player:
    """One way of doing some work, ready when made."""

    def __init__(self, contest: str, way: str, work: Mapping[str, Any]) -> None:
        started = {**(worker_environment() if way in ("harness", "bare") else os.environ)}
        # The tests' single thread is not meant for benchmarks.
        started.pop("OMP_NUM_THREADS", None)
        if "BENCH_THREADS" in os.environ:
            started["OMP_NUM_THREADS"] = os.environ["BENCH_THREADS"]
        paths = [str(KIT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        self.name = way
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.player", contest, way, json.dumps(dict(work))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**started, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        self.turn()

    def turn(self) -> Figures:
        """Let it work once; what it says of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}")
        return json.loads(line)  # type: ignore[no-any-return]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def contest(
    benchmark: Any, table: str, name: str, ways: Iterable[str], work: Mapping[str, Any], *, rounds: int
) -> dict[str, list[Figures]]:
    """Let `ways` do `work` in turns; the harness's turns are the benchmark's rounds.

    Every figure of every turn goes into ``extra_info`` for the report, under `table`.
    """
    players: list[Player] = []
    seen: dict[str, list[Figures]] = {}

    def play(player: Player) -> None:
        seen.setdefault(player.name, []).append(player.turn())

    def others() -> None:
        for player in players[1:]:
            play(player)

    try:
        # One after the other: each warms up alone.
        for way in ("harness", *ways):
            players.append(Player(table, way, work))
        benchmark.pedantic(play, (players[0],), setup=others, rounds=rounds)
    finally:
        for player in players:
            player.stop()
    benchmark.extra_info.update(table=table, work=name, device=seen["harness"][0]["device"], turns=seen)
    return seen


def ratio(seen: Mapping[str, list[Figures]], other: str, figure: str = "seconds") -> float:
    """How many times as fast as `other` the harness is: the median over rounds."""
    pairs = zip(seen[other], seen["harness"], strict=True)
    return float(statistics.median(theirs[figure] / ours[figure] for theirs, ours in pairs))
