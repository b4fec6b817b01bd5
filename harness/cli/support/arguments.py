"""Arguments of several verbs, and the objects that they are parsed into."""

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
    """A session with the options of a verb; options that the verb lacks have their defaults."""
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
    """``["acdc=PATH"]`` -> {"acdc": "PATH"}; ConfigError with the `example` for any other text."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            placeholder = example.partition("=")[2]
            raise ConfigError(
                f"'{text}' is not NAME={placeholder}", where=where, remedy=f"For example: {example}."
            )
        values[name] = value
    return values


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Arguments that name a leaderboard and select from it."""
    parser.add_argument("leaderboard", help="name of a leaderboard in harness.toml")
    for flag, word in (("-m", "model"), ("-l", "loss"), ("-d", "dataset")):
        plural = "losses" if word == "loss" else f"{word}s"
        parser.add_argument(
            flag,
            f"--{word}",
            dest=plural,
            metavar="NAME",
            action="append",
            default=[],
            help=f"select {plural}: a name, a glob or name[key=value]; unlisted ones are added (repeatable)",
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
        help="override a setting, for example protocol.epochs=2 (repeatable)",
    )
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="folder of a dataset, for example acdc=PATH (repeatable)",
    )
    add_runs(parser)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """The folder of runs."""
    parser.add_argument(
        "--runs", metavar="DIR", type=Path, help="folder of runs (default: runs/ beside harness.toml)"
    )


def add_where(parser: argparse.ArgumentParser) -> None:
    """Arguments that select the leaderboard of entries without a source."""
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="leaderboard of the entries (default: the first one that has them all)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="the overrides that the leaderboard was run with (repeatable)",
    )
    add_runs(parser)


def add_run_selection(parser: argparse.ArgumentParser) -> None:
    """Arguments that select runs by leaderboard and id, without a plan."""
    parser.add_argument(
        "leaderboard", nargs="?", help="only runs of this leaderboard, including those made with --set"
    )
    parser.add_argument(
        "--run",
        dest="ids",
        metavar="ID",
        action="append",
        default=[],
        help="only runs whose id or entry matches a glob such as 'unet3d*' (repeatable)",
    )
    add_runs(parser)


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Arguments of the executor: where runs are executed, and how many at once."""
    parser.add_argument(
        "-x",
        "--executor",
        metavar="NAME",
        default="local",
        help="executor: local (default), inline, or a cluster's, with parameters: slurm[partition=gpu]",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=count,
        help="number of runs at once (local default: one per GPU, or one)",
    )
    parser.add_argument(
        "--address", metavar="ADDRESS", help="address of the cluster; same as NAME[address=…]"
    )
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="stop a run that takes longer")


def add_observe(parser: argparse.ArgumentParser) -> None:
    """Arguments that name observers of runs and the places they report to."""
    parser.add_argument(
        "--observe",
        metavar="NAME=PLACE",
        action="append",
        default=[],
        help="report runs to a folder or URI: tensorboard=DIR or mlflow=DIR (repeatable)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """How scores are computed."""
    parser.add_argument(
        "--engine",
        default="fast",
        choices=("fast", "medpy"),
        help="implementation of the metrics; medpy is slow, and its largest difference from fast is reported",
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
