"""``harness plugins check NAME``: the contract suite, as a table of what was checked and what to change."""

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
    """What to check, and where its data lies."""
    parser.add_argument("name", metavar="NAME", help="a plugin: name, glob or name[key=value]")
    parser.add_argument("--kind", choices=KINDS, default=None, help="only plugins of this kind")
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="where a dataset lies, for example acdc=PATH (repeatable)",
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
    found = [
        (kind, choose(registry, kind, text if params else each.record.name))
        for kind in kinds
        for each in registry.match(kind, name)
    ]
    if found:
        return found
    for card in registry.broken:
        if card.name == name:
            raise PluginError(card.error, where=card.label, remedy=card.remedy)
    raise registry.unknown(wanted or "plugin", name, [each for kind in kinds for each in registry.of(kind)])


def _root(project: Project | None, choice: Choice, given: Mapping[str, Path]) -> Path | None:
    """Where a dataset lies: as given, else as the project says; None where nobody told."""
    return project.dataset_root(choice.name, given) if project is not None else given.get(choice.name)


def _rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    from harness.testing import checks_for

    kinds = {one.kind for one in outcomes}
    guarantees = {(kind, check.id): check.guarantee for kind in kinds for check in checks_for(kind)}
    return [
        {
            "plugin": one.plugin,
            "kind": one.kind,
            "check": one.check,
            "result": one.state,
            "guarantee": guarantees[one.kind, one.check],
            "found": one.found,
            "remedy": one.remedy or None,
        }
        for one in outcomes
    ]


def _judged(subject: Subject) -> list[Outcome]:
    """All outcomes; a terminal shows meanwhile what is being checked."""
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
