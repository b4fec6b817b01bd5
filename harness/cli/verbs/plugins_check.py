"""``harness plugins check NAME``: run the contract suite, and show each check and what to change."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.support.arguments import pairs
from harness.errors import OK, RUNS_FAILED, PluginError
from harness.plugins.blame import full_traceback
from harness.session.workspace import Workspace, checked_roots

if TYPE_CHECKING:
    from harness.config.load import Project
    from harness.plan.choice import Choice
    from harness.plugins.manager import Registry
    from harness.plugins.records import Kind
    from harness.testing import Outcome, Subject

KINDS: tuple[Kind, ...] = ("model", "loss", "dataset")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The plugin to check, and the folders of datasets."""
    parser.add_argument("name", metavar="NAME", help="plugin to check: a name, a glob or name[key=value]")
    parser.add_argument("--kind", choices=KINDS, default=None, help="only plugins of this kind")
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="folder of a dataset, for example acdc=PATH (repeatable)",
    )


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print a table for each plugin; exit code 1 if a check failed."""
    from harness.cli.support.terminal import print_tables
    from harness.testing import registered
    from harness.views.check_outcomes import check_table

    registry = workspace.registry
    project = workspace.project if workspace.has_project else None
    data = pairs(args.data, where="--data", example="acdc=PATH")
    roots = checked_roots({name: Path(path) for name, path in data.items()}, registry)
    outcomes: list[Outcome] = []
    for kind, choice in _choices(registry, args.name, args.kind):
        assert choice.plugin is not None
        root = _root(project, choice, roots) if kind == "dataset" else None
        subject = registered(choice.plugin, registry, choice.params, root)
        done = _judged(subject)
        outcomes += done
        if not args.json:
            print_tables([check_table(f"{kind} {choice.label}", done)])
            if args.verbose:
                _print_tracebacks(done)
            print()
    if args.json:
        print(json.dumps(_rows(outcomes), indent=1, ensure_ascii=False))
    return RUNS_FAILED if any(outcome.state == "failed" for outcome in outcomes) else OK


def _choices(registry: Registry, text: str, wanted: Kind | None) -> list[tuple[Kind, Choice]]:
    """The plugins that `text` names, of any kind; PluginError if there are none."""
    from harness.plan.choice import choose, parse

    name, params = parse(text)
    kinds = (wanted,) if wanted else KINDS
    choices = [
        (kind, choose(registry, kind, text if params else each.record.name))
        for kind in kinds
        for each in registry.match(kind, name)
    ]
    if choices:
        return choices
    for card in registry.broken:
        if card.name == name:
            raise PluginError(card.error, where=card.label, remedy=card.remedy)
    raise registry.unknown(wanted or "plugin", name, [each for kind in kinds for each in registry.of(kind)])


def _root(project: Project | None, choice: Choice, given: Mapping[str, Path]) -> Path | None:
    """The folder of a dataset: from `given`, or from the project; None if it is unknown."""
    return project.dataset_root(choice.name, given) if project is not None else given.get(choice.name)


def _rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    from harness.testing import checks_for

    kinds = {outcome.kind for outcome in outcomes}
    guarantees = {(kind, check.id): check.guarantee for kind in kinds for check in checks_for(kind)}
    return [
        {
            "plugin": outcome.plugin,
            "kind": outcome.kind,
            "check": outcome.check,
            "result": outcome.state,
            "guarantee": guarantees[outcome.kind, outcome.check],
            "found": outcome.found,
            "remedy": outcome.remedy or None,
        }
        for outcome in outcomes
    ]


def _judged(subject: Subject) -> list[Outcome]:
    """All outcomes of the checks; a terminal shows the name of the check in progress."""
    from rich.console import Console

    from harness.testing import checks_for, iterate_checks

    checks = checks_for(subject.kind)
    done: list[Outcome] = []
    with Console(stderr=True, highlight=False).status(f"{subject.record.name}: {checks[0].id}") as status:
        for outcome in iterate_checks(subject, checks):
            done.append(outcome)
            if len(done) < len(checks):
                status.update(f"{subject.record.name}: {checks[len(done)].id}")
    return done


def _print_tracebacks(outcomes: Sequence[Outcome]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for outcome in outcomes:
        if outcome.cause is not None:
            traceback = full_traceback(outcome.cause).rstrip()
            console.print(Text(f"\n{outcome.check}\n{traceback}", style="dim"), soft_wrap=True)
