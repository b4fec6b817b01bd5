"""``--executor``, ``--jobs``, ``--address``, ``--timeout``: where runs happen."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from harness.errors import INTERRUPTED, OK, RUNS_FAILED, ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cli.support.board import OpenLeaderboard
    from harness.cli.support.progress import Progress
    from harness.config.load import Project
    from harness.execute.executor import RunExecutor
    from harness.execute.scheduler import Event, ScheduleOutcome
    from harness.plan.plan import Plan, PlannedRun
    from harness.plugins.manager import Registry

DEFAULT = "local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where runs happen, and how many of them at once."""
    parser.add_argument(
        "-x",
        "--executor",
        metavar="NAME",
        default=DEFAULT,
        help="where runs happen: local, inline, or a cluster, with parameters: slurm[partition=gpu]",
    )
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=count, help="runs at once (local: one a GPU, else one)"
    )
    parser.add_argument("--address", metavar="ADDRESS", help="of the cluster; same as NAME[address=…]")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="give up a run after this long")


def seconds(text: str) -> float:
    """A duration; argparse says in one line what is no number above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value


def count(text: str) -> int:
    """A number of things, from 1 up."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def open_executor(
    registry: Registry, project: Project, text: str = DEFAULT, **flags: Any
) -> tuple[RunExecutor, str]:
    """The executor that `text` names, and its name.

    Its parameters are its defaults, then ``[executor.NAME]`` of harness.toml, then those in `text`,
    then `flags` that are not None. ConfigError for a parameter that it does not have.
    """
    from harness.execute.executor import check
    from harness.plan.choice import choose, parse
    from harness.plugins.blame import calling
    from harness.plugins.resolve import resolve

    choice = choose(registry, "executor", text)
    defaults, (_, written) = choice.record.defaults, parse(text)
    site = project.settings.executor.get(choice.name, {})
    given = {name: value for name, value in flags.items() if value is not None}
    for source, names in (
        (f"[executor.{choice.name}] of {project.file}", site),
        (f"--executor {choice.name}", given),
    ):
        unknown = [name for name in names if name not in defaults]
        if unknown:
            raise ConfigError(
                f"no parameter '{unknown[0]}'", where=source, remedy=nearest(unknown[0], defaults)
            )
    target = resolve(choice.record.target, where=f"executor {choice.name}")
    values = {**defaults, **site, **written, **given}
    _check_types(target, values, f"executor {choice.name}")
    with calling("executor"):
        made = target(**values)  # type: ignore[operator]
    return check(made, choice.name), choice.name


def _check_types(target: object, values: dict[str, Any], where: str) -> None:
    """ConfigError for a value that is not what the executor's signature says, where that says something."""
    from typing import get_type_hints

    from pydantic import TypeAdapter, ValidationError

    try:
        hints = get_type_hints(target.__init__ if isinstance(target, type) else target, include_extras=True)  # type: ignore[misc]
    except (NameError, TypeError, AttributeError):
        return
    for name, value in values.items():
        if name in hints:
            try:
                TypeAdapter(hints[name]).validate_python(value, strict=True)
            except ValidationError as error:
                told = error.errors()[0]["msg"]
                raise ConfigError(f"{name} = {value!r}: {told}", where=where) from error


def open_named(file: Path, plugin_files: tuple[Path, ...], name: str) -> RunExecutor:
    """The executor `name` as the project of `file` has it."""
    from harness.config.load import load
    from harness.plugins import manager

    return open_executor(manager.load(plugin_files), load(file), name)[0]


def carry_out(
    args: argparse.Namespace, board: OpenLeaderboard, plan: Plan, progress: Progress
) -> ScheduleOutcome:
    """Drive the runs of a plan as the arguments say, with tables rebuilt as runs end."""
    from harness.cli.support.rebuilding import Rebuilding
    from harness.execute.resource_requests import Needs
    from harness.execute.scheduler import drive

    executor: RunExecutor
    if getattr(args, "pdb", False):
        from harness.execute.inline import Inline
        from harness.probe.debugger import debug_failure

        executor, name = Inline(failed=debug_failure), "inline"
    else:
        executor, name = open_executor(
            board.registry, board.project, args.executor, jobs=args.jobs, address=args.address
        )
    if getattr(args, "detach", False) and not executor.leaves:
        raise ConfigError(
            f"runs of executor {name} end with the command", where="--detach", remedy="Leave --detach out."
        )
    rebuilding = Rebuilding(board)

    def listen(event: Event, planned: PlannedRun, figures: dict[str, Any]) -> None:
        progress.event(event, planned, figures)
        if event == "end":
            rebuilding.now_and_then()

    board.runs.note(board.title, [run.id for run in plan.runs if run.id])
    resources = {key: one.model_dump() for key, one in board.project.settings.resources.items()}
    try:
        return drive(
            plan.runs,
            board.runs,
            listen,
            executor,
            name=name,
            timeout_s=args.timeout,
            need=Needs(plan.runs, board.runs, resources),
            detach=getattr(args, "detach", False),
        )
    finally:
        executor.close()


def exit_code(outcome: ScheduleOutcome) -> int:
    """1 if a run failed, 3 if one was cancelled, else 0."""
    if outcome.failed:
        return RUNS_FAILED
    return INTERRUPTED if outcome.cancelled else OK
