"""``harness plugins new NAME --kind KIND``: write a template of a plugin."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import OK, ConfigError

if TYPE_CHECKING:
    from harness.plugins.manager import Registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name, kind and form of the plugin."""
    parser.add_argument("name", metavar="NAME", help="name of the plugin, such as my-net")
    parser.add_argument(
        "--kind", choices=("model", "loss", "dataset"), required=True, help="kind of the plugin"
    )
    parser.add_argument(
        "--single-file", action="store_true", help="write one file for -p instead of a distribution"
    )


def run(args: argparse.Namespace, registry: Registry, project_file: Path | None) -> int:
    """Write the template into the current folder and print the next steps."""
    from harness.plugins.blame import shorten
    from harness.scaffold import write_plugin

    taken = registry.of(args.kind).get(args.name)
    if taken is not None:
        raise ConfigError(
            f"{taken.label} already registers a {args.kind} '{args.name}'", remedy="Choose another name."
        )
    made = write_plugin(
        Path.cwd(),
        args.name,
        args.kind,
        single_file=args.single_file,
        board=project_file is None,
        leaderboard=_leaderboard(project_file),
    )
    written = [shorten(file) for file in made.files]
    if args.json:
        answer = {"path": shorten(made.path), "files": written, "next": list(made.next_steps)}
        print(json.dumps(answer, indent=1, ensure_ascii=False))
        return OK
    print("Written:", *written, sep="\n  ")
    print("Next:", *made.next_steps, sep="\n  ")
    return OK


def _leaderboard(project_file: Path | None) -> str:
    """A leaderboard to try the plugin on: ``quick``, or the project's first."""
    if project_file is None:
        return "quick"
    from harness.config.load import load

    try:
        names = list(load(project_file).settings.leaderboard)
    except ConfigError:
        # A broken harness.toml is reported when it is needed.
        names = []
    return "quick" if "quick" in names or not names else names[0]
