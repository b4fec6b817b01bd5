"""``harness plugins``: what is registered, by whom, and what is broken; ``check`` and ``new``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.cli.support.board import plugin_files
from harness.cli.verbs import plugins_check, plugins_new
from harness.config.find import nearest_file
from harness.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from harness.plugins.manager import Broken, Registered, Registry

NAME = "plugins"
SUMMARY = "list plugins, check one against its contract, or begin a new one"

CHECK = "run the contract suite on a plugin: what was checked, and what to change"

NEW = "write a new plugin to start from: a distribution, or a single file"

STYLE = {"ok": "green", "broken": "red", "duplicate": "yellow", "not available": "yellow"}

WIDE = 100
"""Columns of a page from which on distributions are shown too."""

COLUMNS = ("name", "kind", "summary", "version", "distribution", "state")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the listing, which is what the verb does without an action."""
    parser.add_argument(
        "--kind", choices=("model", "loss", "dataset", "executor"), help="only plugins of this kind"
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    actions = parser.add_subparsers(title="actions", dest="action", metavar="{check,new}")
    check = actions.add_parser("check", help=CHECK, description=CHECK)
    plugins_check.add_arguments(check)
    new = actions.add_parser("new", help=NEW, description=NEW)
    plugins_new.add_arguments(new)
    for action in (check, new):
        _add_common(action)


def _add_common(action: argparse.ArgumentParser) -> None:
    """Options of every verb, which may stand behind the action too; what stands before it is kept."""
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
    action.add_argument("--config", metavar="PATH", type=Path, default=unset, help="harness.toml to use")
    action.add_argument("-v", "--verbose", action="store_true", default=unset, help="show tracebacks")


def run(args: argparse.Namespace) -> int:
    """Print the listing, with exit code 0 although something is broken: it was listed. Or do the action."""
    args.plugin_files = [*args.plugin_files, *getattr(args, "more_plugin_files", [])]
    action = getattr(args, "action", None)
    if action == "check":
        return plugins_check.run(args, _files(args), _file(args))
    from harness.plugins.manager import load

    registry = load(_files(args))
    if action == "new":
        return plugins_new.run(args, registry, _file(args))
    if args.json:
        print(json.dumps(rows(registry, args.kind), indent=1, ensure_ascii=False))
    else:
        _print(registry, args.kind, args.verbose)
    return 0


def rows(registry: Registry, kind: str | None = None) -> list[dict[str, Any]]:
    """The listing as JSON-ready rows: usable plugins by kind and name, then whatever is broken.

    What is broken may be of any kind, so every selection has it.
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


def _files(args: argparse.Namespace) -> tuple[Path, ...]:
    """Files given with -p and the project's own; a listing needs no harness.toml."""
    file = _file(args)
    return tuple(args.plugin_files) if file is None else plugin_files(args, file)


def _file(args: argparse.Namespace) -> Path | None:
    """The harness.toml of ``--config``, or the nearest one if there is any."""
    if args.config is None:
        return nearest_file(Path.cwd())
    if not args.config.is_file():
        raise ConfigError("there is no such file", where=args.config, remedy="Correct --config PATH.")
    file: Path = args.config
    return file


def _print(registry: Registry, kind: str | None, verbose: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    listed = rows(registry, kind)
    console.print(_table(listed, console.width) if listed else "No plugins.")
    shown = {(row["error"], row["remedy"]) for row in listed}
    for card in registry.broken:
        if (card.error, card.remedy) in shown:
            console.print()
            console.print(_card(card, verbose))


def _table(listed: list[dict[str, Any]], page: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # Where it is narrow, a summary that can be read is worth more than the same package thirty times.
    titles = [title for title in COLUMNS if page >= WIDE or title != "distribution"]
    lines: dict[tuple[str, ...], None] = {}
    for row in listed:
        source = f"{row['distribution']} {row['distribution_version'] or ''}".strip()
        values = [source if title == "distribution" else row[title] for title in titles]
        # A plugin with several mistakes is one line here and a card for each below.
        lines[tuple("—" if value is None else str(value) for value in values)] = None
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title, width in zip(titles, _widths([tuple(titles), *lines], page), strict=True):
        justify: Literal["left", "right"] = "right" if title == "version" else "left"
        table.add_column(title, overflow="fold", justify=justify, width=width)
    for *cells, state in lines:
        table.add_row(*map(Text, cells), Text(state, style=STYLE[state]))
    return table


def _widths(lines: list[tuple[str, ...]], page: int) -> list[int]:
    """Width of each column: on a narrow page the summary gives way, before a name is torn apart."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    titles = lines[0]
    room = page - 2 * (len(titles) - 1)
    for title, least in (("summary", 20), ("distribution", 12), ("summary", 12), ("name", 20)):
        if title not in titles:
            continue
        index = titles.index(title)
        if title == "distribution":
            least = max(least, *(len(word) for line in lines for word in line[index].split()))
        widths[index] -= max(0, min(sum(widths) - room, widths[index] - least))
    return widths


def _card(card: Broken, verbose: bool) -> Text:
    from rich.text import Text

    text = Text.assemble(
        (card.state, f"bold {STYLE[card.state]}"),
        (f"  {card.name if card.duplicates else card.label}", "bold"),
    )
    text.append(f"\n{card.error}\nRemedy: {card.remedy}")
    if verbose and card.traceback:
        text.append(f"\n{card.traceback.rstrip()}", style="dim")
    return text
