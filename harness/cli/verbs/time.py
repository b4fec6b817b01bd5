"""``harness time A B …``: how long entries take to predict a volume, measured in turns."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.cli.support.entries import add_where, find_entries
from harness.errors import OK, ConfigError

if TYPE_CHECKING:
    from harness.data.case import Volume
    from harness.store.record import Record

NAME = "time"
SUMMARY = "time prediction of finished entries in turns, so that drift hits all alike"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Entries, volumes and rounds."""
    parser.add_argument(
        "entries", nargs="+", metavar="MODEL+LOSS", help="finished entries of one leaderboard"
    )
    add_where(parser)
    parser.add_argument(
        "--data", metavar="NAME=PATH", action="append", default=[], help="where the dataset lies"
    )
    parser.add_argument("--volumes", metavar="N", type=int, default=10, help="test volumes (default: 10)")
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="times over them (default: 5)")
    parser.add_argument("--json", action="store_true", help="print every duration as JSON")


def run(args: argparse.Namespace) -> int:
    """Print median, 95th percentile and the ratio to the fastest."""
    if args.volumes < 1 or args.rounds < 1:
        raise ConfigError("--volumes and --rounds must be at least 1", where=args.verb)
    board, found = find_entries(args, args.entries)
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables
    from harness.measure.clocks import median_and_p95
    from harness.measure.contention import ContentionMonitor
    from harness.measure.nvml import Gpu
    from harness.plan.data import open_choice, root_of
    from harness.probe.latency_benchmark import interleave, trained
    from harness.views.latency import latency_table

    datasets = {one.entry.dataset for one in found}
    if len(datasets) > 1:
        raise ConfigError(f"{' and '.join(sorted(datasets))} are different volumes", where=args.verb)
    choice = next(e.dataset for e in board.matrix.entries if e.dataset.label in datasets)
    roots = boards.data_roots(args.data, board.registry)
    source = open_choice(choice, root_of(board.project, choice, board.runs, roots))
    tested = set(found[0].records[0].spec.parts.test)
    cases = [case for case in source.cases if case.patient in tested][: args.volumes]
    predictors = {one.name: trained(board.runs.run(_first(one.records, one.name).run_id)) for one in found}
    watch = ContentionMonitor(Gpu.of(next(iter(predictors.values())).compute.device))
    with Progress(quiet=args.json) as progress:
        volumes: list[Volume] = [case.read() for case in cases]
        seconds = interleave(predictors, volumes, args.rounds, progress.timing)
    shared = bool(watch.seen()["shared"])
    if args.json:
        print(json.dumps({"volumes": [case.id for case in cases], "shared": shared, "seconds": seconds}))
    else:
        figures = {name: median_and_p95(each) for name, each in seconds.items()}
        print_tables([latency_table(figures, volumes=len(volumes), rounds=args.rounds, shared=shared)])
    return OK


def _first(records: list[Record], name: str) -> Record:
    """The run of the lowest seed and fold."""
    own = [record for record in records if not record.spec.model.external]
    if not own:
        raise ConfigError("was predicted elsewhere: there is nothing to time", where=name)
    return min(own, key=lambda record: (record.spec.seed, record.spec.fold))
