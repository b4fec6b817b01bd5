"""A project with thousands of finished runs of tiny hearts, written as their workers would have."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import tiny_project

from harness.contract.record import DataUsed, Environment, Epoch, Hardware, ModelSize, PluginProvenance
from harness.contract.spec import KINDS, RunSpec
from harness.execute.executor import Answer, Job, ResourceRequest
from harness.plan.plan import Plan, make_plan
from harness.session.open_leaderboard import OpenLeaderboard, open_leaderboard
from harness.session.workspace import Workspace
from harness.store.record import CaseScore, Record, case_lines
from harness.store.runs import RunFolder

UNITS = {"dice": "1", "hd": "mm", "hd95": "mm", "assd": "mm", "volume": "mL", "volume-error": "mL"}
SEEDS, FOLDS = 5, 5


def make(root: Path, entries: int, test: int) -> OpenLeaderboard:
    """A leaderboard of `entries` entries, five seeds, five folds; `test` patients are tested a fold."""
    tiny_project.make_project(root)
    text = (root / "harness.toml").read_text()
    models = ", ".join(f'"tiny-net[maps={n}]"' for n in range(1, entries + 1))
    text = text.replace('models = ["tiny-net", "tiny-net-3d"]', f"models = [{models}]")
    text = text.replace('datasets = ["tiny"]', f'datasets = ["tiny[patients={FOLDS * test}]"]')
    text = text.replace('"official"', f'"folds"\nfolds = {FOLDS}\nseeds = {list(range(SEEDS))}')
    (root / "harness.toml").write_text(text)
    return reopened(root)


def reopened(root: Path) -> OpenLeaderboard:
    """The leaderboard as a command opens it."""
    return open_leaderboard(Workspace(root / "harness.toml"), "tiny")


def planned(board: OpenLeaderboard) -> Plan:
    """What `harness plan` makes."""
    return make_plan(
        board.project,
        board.title,
        board.protocol,
        board.matrix,
        board.runs,
        data_roots={},
        plugin_files=board.workspace.plugin_files,
    )


def finish(board: OpenLeaderboard, plan: Plan) -> int:
    """Write a record for every run of `plan`; gives the number of scores of a run."""
    scores = 0
    for number, run in enumerate(plan.runs):
        folder = board.runs.run(run.id).path
        folder.mkdir(parents=True)
        record = _record(run.spec, number)
        scores = len(record.cases)
        # Not by way of `finish`: ten thousand times three flushes to disk are another benchmark.
        (folder / "spec.json").write_text(json.dumps(run.spec.as_json(), indent=1))
        (folder / "cases.jsonl").write_text(case_lines(record.cases))
        (folder / "record.json").write_text(json.dumps(record.header(), indent=1))
    return scores


def _record(spec: RunSpec, number: int) -> Record:
    draw = random.Random(number)
    skill = 0.8 + 0.1 * (zlib.crc32(spec.label.encode()) % 97) / 97
    cases = tuple(_scores(draw, skill, spec.parts.test))
    epochs = range(1, spec.protocol.epochs + 1)
    return Record(
        run_id=spec.run_id,
        keys=spec.keys,
        spec=spec,
        status="done",
        plugins={
            kind: PluginProvenance(plugin.name, plugin.version, plugin.distribution, "0" * 64)
            for kind, plugin in ((kind, spec.plugin(kind)) for kind in KINDS)
        },
        environment=Environment("0", None, "3", "2", None, "Linux", "cpu", "bf16", 1, "AVX2"),
        hardware=Hardware("a machine", None, "a machine", 2, 8.0),
        data=DataUsed.of(spec),
        model=ModelSize(1000 + number, 10**6, (10, 1, 24, 24), None),
        time_s={"train": 10 * draw.random(), "wall": 12.0, "volume_median": 0.1, "volume_p95": 0.2},
        memory_mib={"host_peak": 500.0},
        history=tuple(Epoch(epoch, draw.random()) for epoch in epochs),
        cases=cases,
    )


def _scores(draw: random.Random, skill: float, patients: Sequence[str]) -> list[CaseScore]:
    return [
        CaseScore(
            f"{patient}_{phase}", patient, phase, "A", structure, metric, value, unit, "ok", (8.0, 1.5, 1.5)
        )
        for patient in patients
        for phase in ("ED", "ES")
        for structure in ("RV", "MYO", "LV")
        for metric, unit in UNITS.items()
        for value in (skill * draw.uniform(0.9, 1.1) if metric == "dice" else 20 * draw.random(),)
    ]


class Cluster:
    """An executor whose workers take no time: what is left is what the driver costs."""

    poll_s = 0.0
    leaves = False

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._folders: dict[str, RunFolder] = {}

    def room(self, need: ResourceRequest) -> int:
        return self._at_once - len(self._folders)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        self._folders.update((job.folder.name, RunFolder(job.folder)) for job in jobs)
        return [job.folder.name for job in jobs]

    def poll(self, handle: str) -> Answer:
        folder = self._folders.pop(handle)
        record = _record(folder.spec(), zlib.crc32(handle.encode()))
        (folder.path / "cases.jsonl").write_text(case_lines(record.cases))
        (folder.path / "record.json").write_text(json.dumps(record.header(), indent=1))
        return Answer("ended", 0)

    def cancel(self, handle: str) -> None:
        self._folders.pop(handle, None)

    def close(self) -> None:
        self._folders.clear()
