"""``harness plugins``: list registered and broken plugins; ``check`` and ``new``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.verbs import plugins_check, plugins_new
from harness.config.find import nearest_file
from harness.errors import ConfigError
from harness.session.workspace import Workspace

if TYPE_CHECKING:
    from rich.text import Text

    from harness.plugins.manager import Broken, Registered, Registry

NAME = "plugins"
SUMMARY = "list plugins, check one against its contract, or write a new one"

CHECK = "run the contract suite on a plugin, and report what to change"

NEW = "write a template of a plugin: a distribution, or a single file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the listing, which is printed without an action, and of the actions."""
    parser.add_argument(
        "--kind", choices=("model", "loss", "dataset", "executor"), help="only plugins of this kind"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    actions = parser.add_subparsers(title="actions", dest="action", metavar="{check,new}")
    check = actions.add_parser("check", help=CHECK, description=CHECK)
    plugins_check.add_arguments(check)
    new = actions.add_parser("new", help=NEW, description=NEW)
    plugins_new.add_arguments(new)
    for action in (check, new):
        _add_common(action)


def _add_common(action: argparse.ArgumentParser) -> None:
    """Options of every verb, which may also follow the action; values given before it are kept."""
    unset: Any = argparse.SUPPRESS
    action.add_argument("--json", action="store_true", default=unset, help="print JSON")
    action.add_argument(
        "-p",
        "--plugin",
        dest="more_plugin_files",
        metavar="FILE.py",
        type=Path,
        action="append",
        default=unset,
        help="register the plugins in this file (repeatable)",
    )
    action.add_argument(
        "--config",
        metavar="PATH",
        type=Path,
        default=unset,
        help="harness.toml to use (default: the nearest one above this folder)",
    )
    action.add_argument("-v", "--verbose", action="store_true", default=unset, help="show tracebacks")


def run(args: argparse.Namespace) -> int:
    """Run the action, or print the listing; broken plugins are listed and don't change the exit code."""
    file = _file(args.config)
    files = (*args.plugin_files, *getattr(args, "more_plugin_files", ()))
    workspace = Workspace(file, extra_plugin_files=files)
    action = getattr(args, "action", None)
    if action == "check":
        return plugins_check.run(args, workspace)
    registry = workspace.registry
    if action == "new":
        return plugins_new.run(args, registry, file)
    if args.json:
        print(json.dumps(rows(registry, args.kind), indent=1, ensure_ascii=False))
    else:
        _print(registry, args.kind, args.verbose)
    return 0


def rows(registry: Registry, kind: str | None = None) -> list[dict[str, Any]]:
    """The listing as JSON-ready rows: usable plugins by kind and name, then broken ones.

    A broken plugin may be of any kind, so every selection includes it.
    """
    listed = [_row(each) for each in registry.everything()]
    for card in registry.broken:
        named = card.duplicates or card.unavailable
        listed += [_row(each, card) for each in named] or [_broken_row(card)]
    return [row for row in listed if kind in (None, row["kind"]) or row["kind"] is None]


def _row(plugin: Registered, card: Broken | None = None) -> dict[str, Any]:
    return {
        "name": plugin.record.name,
        "kind": plugin.kind,
        "summary": plugin.record.summary,
        "version": plugin.record.version,
        "target": plugin.record.target,
        "distribution": plugin.distribution,
        "distribution_version": plugin.version or None,
        "origin": plugin.origin,
        "state": "ok" if card is None else card.state,
        "error": None if card is None else card.error,
        "remedy": None if card is None else card.remedy,
    }


def _broken_row(card: Broken) -> dict[str, Any]:
    return {
        "name": card.name,
        "kind": None,
        "summary": None,
        "version": None,
        "target": None,
        "distribution": card.distribution,
        "distribution_version": card.version or None,
        "origin": card.origin,
        "state": "broken",
        "error": card.error,
        "remedy": card.remedy,
    }


def _file(config: Path | None) -> Path | None:
    """`config`, or the nearest harness.toml; None if there is none, as a listing needs none."""
    if config is None:
        return nearest_file(Path.cwd())
    if not config.is_file():
        raise ConfigError("file not found", where=config, remedy="Correct --config PATH.")
    return config


def _print(registry: Registry, kind: str | None, verbose: bool) -> None:
    from rich.console import Console

    from harness.cli.support.terminal import print_tables
    from harness.views.plugin_list import plugin_table

    listed = rows(registry, kind)
    if listed:
        print_tables([plugin_table(listed)])
    else:
        print("No plugins.")
    console = Console(highlight=False)
    shown = {(row["error"], row["remedy"]) for row in listed}
    for card in registry.broken:
        if (card.error, card.remedy) in shown:
            console.print()
            console.print(_card(card, verbose))


def _card(card: Broken, verbose: bool) -> Text:
    from rich.text import Text

    text = Text.assemble(
        (card.state, f"bold {'red' if card.state == 'broken' else 'yellow'}"),
        (f"  {card.name if card.duplicates else card.label}", "bold"),
    )
    text.append(f"\n{card.error}\nRemedy: {card.remedy}")
    if verbose and card.traceback:
        text.append(f"\n{card.traceback.rstrip()}", style="dim")
    return text
