"""Arguments that several verbs have, and what they are parsed into."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.session.session import Session


@dataclass(frozen=True)
class SelectionArguments:
    """A leaderboard and a selection of its entries."""

    leaderboard: str
    models: tuple[str, ...]
    losses: tuple[str, ...]
    datasets: tuple[str, ...]

    @classmethod
    def of(cls, args: argparse.Namespace) -> SelectionArguments:
        """From the arguments of `add_selection`."""
        return cls(args.leaderboard, tuple(args.models), tuple(args.losses), tuple(args.datasets))


def open_session(args: argparse.Namespace) -> Session:
    """The session that a verb's arguments ask for; a verb without one of them means its default."""
    from harness.session.session import Session

    def value(name: str, default: Any) -> Any:
        return getattr(args, name, default)

    return Session(
        args.config,
        data=pairs(value("data", ()), where="--data", example="acdc=PATH"),
        runs=value("runs", None),
        plugin_files=args.plugin_files,
        overrides=value("overrides", ()),
    )


def pairs(texts: Iterable[str], *, where: str, example: str) -> dict[str, str]:
    """``["acdc=PATH"]`` -> {"acdc": "PATH"}; ConfigError with the `example` where one lacks either."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            what = example.partition("=")[2]
            raise ConfigError(
                f"'{text}' is not NAME={what}", where=where, remedy=f"Write for example {example}."
            )
        values[name] = value
    return values


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Arguments that name a leaderboard and select from it."""
    parser.add_argument("leaderboard", help="a [leaderboard.NAME] of harness.toml")
    for flag, word in (("-m", "model"), ("-l", "loss"), ("-d", "dataset")):
        plural = "losses" if word == "loss" else f"{word}s"
        parser.add_argument(
            flag,
            f"--{word}",
            dest=plural,
            metavar="NAME",
            action="append",
            default=[],
            help=f"only these {plural}: name, glob or name[key=value]; one not listed joins (repeatable)",
        )
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command that opens a leaderboard with its data."""
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change a value, for example protocol.epochs=2 (repeatable)",
    )
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="where a dataset lies, for example acdc=PATH (repeatable)",
    )
    add_runs(parser)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """The folder of runs."""
    parser.add_argument(
        "--runs", metavar="DIR", type=Path, help="folder of runs (default: runs/ beside harness.toml)"
    )


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where to look for entries that name no source."""
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="where they are (default: the first leaderboard that has them all)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="the changes that the leaderboard was run with (repeatable)",
    )
    add_runs(parser)


def add_run_selection(parser: argparse.ArgumentParser) -> None:
    """Runs that need no plan: by leaderboard and id, in a folder of runs."""
    parser.add_argument("leaderboard", nargs="?", help="only its runs, those with --set included")
    parser.add_argument(
        "--run",
        dest="ids",
        metavar="ID",
        action="append",
        default=[],
        help="only runs whose id or entry matches this glob, such as 'unet3d*' (repeatable)",
    )
    add_runs(parser)


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Where runs happen, and how many of them at once."""
    parser.add_argument(
        "-x",
        "--executor",
        metavar="NAME",
        default="local",
        help="where runs happen: local, inline, or a cluster, with parameters: slurm[partition=gpu]",
    )
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=count, help="runs at once (local: one a GPU, else one)"
    )
    parser.add_argument("--address", metavar="ADDRESS", help="of the cluster; same as NAME[address=…]")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="give up a run after this long")


def add_observe(parser: argparse.ArgumentParser) -> None:
    """Where observers of runs report to."""
    parser.add_argument(
        "--observe",
        metavar="NAME=PLACE",
        action="append",
        default=[],
        help="report runs to a folder or URI, for example tensorboard=DIR or mlflow=DIR (repeatable)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """How scores are computed."""
    parser.add_argument(
        "--engine",
        default="fast",
        choices=("fast", "medpy"),
        help="medpy computes with MedPy instead, slowly, and says the largest difference from fast",
    )


def seconds(text: str) -> float:
    """A finite duration above 0; argparse turns a ValueError into a usage message."""
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value


def count(text: str) -> int:
    """A count of 1 or more."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value
